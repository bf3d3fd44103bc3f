"""Bundles of somebody else, broken: each member, and the archive around them."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
import torch
from fuzzing import FUZZ, broken, read_broken
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.torch import save

from mmsign.apis import read_bundle
from mmsign.errors import BundleError

CONFIG = dict(
    model=dict(type='SingleStreamRecognizer', video=dict(backbone=dict(type='S3D'))),
    pipeline=[dict(type='LoadClip'), dict(type='SampleClip'), dict(type='PackClip')],
    corpus=dict(fps=25.0),
)
MEMBERS = {
    'bundle.json': b'{"format": "mmsign-bundle", "version": 1, "shared": {"b": "a"}}',
    'config.json': json.dumps(CONFIG).encode(),
    'vocabulary.txt': 'REGEN\nWÜRZBURG\n'.encode(),
    'weights.safetensors': save(dict(a=torch.ones(2))),
}


def archive(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as written:
        for name, content in members.items():
            written.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


@pytest.mark.parametrize('member', [*MEMBERS, None])
def test_a_broken_member(member, tmp_path_factory):
    path = tmp_path_factory.mktemp('fuzz') / 'a.bundle'
    good = archive(MEMBERS) if member is None else MEMBERS[member]

    @FUZZ
    @example(good[2:])  # an archive's places are then before its beginning
    @given(broken(good))
    def run(data):
        whole = data if member is None else archive(MEMBERS | {member: data})
        read_broken(path, whole, read_bundle, (BundleError,))

    run()


NAMES = ('type', 'mbart', 'folder', 'translation', 'S3D', 'os.system', '_base_')
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(NAMES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
)


@FUZZ
@given(st.sampled_from(['model', 'pipeline', 'corpus']), VALUES)
def test_any_config(tmp_path_factory, part, value):
    path = tmp_path_factory.mktemp('fuzz') / 'a.bundle'
    config = json.dumps(CONFIG | {part: value}).encode()
    whole = archive(MEMBERS | {'config.json': config})
    read_broken(path, whole, read_bundle, (BundleError,))
