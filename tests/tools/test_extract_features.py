from mmengine.config import Config
from tiny_run import load_tool

tool = load_tool('extract_features')


def test_a_split_that_the_corpus_does_not_have(tmp_path):
    rows = 'id,video,glosses,split\n1,v,A,train\n2,v,A,test\n'
    (tmp_path / 'manifest.csv').write_text(rows)
    dataset = dict(type='SignFolderDataset', data_root=str(tmp_path), split='test')
    cfg = Config(dict(test_dataloader=dict(dataset=dataset)))
    assert tool.splits_with_clips(cfg) == ['train', 'test']
