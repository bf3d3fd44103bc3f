from mmsign.toy.signs import Hand, Mouth, Sign, sign_from_hash


def test_hashed_signs_are_golden():
    # Real corpora are rendered with these: they must not change between versions.
    path = ((-0.3, -0.25), (-0.3, -0.25), (0.9, 0.15))
    hand = Hand(path, ('fist', 'flat'), angle=(45.0, 105.0), palm=-1.0)
    assert sign_from_hash('HAGEL') == Sign(hand, None, Mouth(0.0, 0.0))
    assert len({sign_from_hash(f'G{index}') for index in range(200)}) == 200
