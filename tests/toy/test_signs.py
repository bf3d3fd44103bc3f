from mmsign.toy.signs import SHAPES, sign_from_hash


def test_hashed_signs_are_golden():
    # Real corpora are rendered with these: they must not change between versions.
    sign = sign_from_hash('HAGEL')
    assert set(sign.strong.shape) <= set(SHAPES)
    assert sign == sign_from_hash('HAGEL')
    assert len({sign_from_hash(f'G{index}') for index in range(200)}) == 200
