"""What a person reads at the end of a job."""

from bertsmith.jobs.outcome import told_score
from bertsmith.jobs.quickstart_page import Knowledge, Parts, told_of
from bertsmith.records.scores import Score


def test_a_score_is_told_with_its_split_its_seeds_and_every_baseline_in_both_languages():
    score = Score("macro_f1", 0.75, "test", 1200, 3, 0.01, ("tf-idf", 0.5))
    told = told_score(score, [("majority", 0.25)])
    assert told.en == "macro F1: 0.750 ± 0.010 (test, n = 1,200, 3 seeds, TF-IDF 0.500, majority 0.250)"
    assert told.zh == "宏平均 F1：0.750 ± 0.010（测试集，n = 1,200，3 个种子，TF-IDF 0.500，多数类 0.250）"


def test_a_score_on_a_table_of_ones_own_says_so():
    told = told_score(Score("accuracy", 0.5, "given", 40))
    assert (told.en, told.zh) == ("accuracy: 0.500 (the given table, n = 40)", "准确率：0.500（所给表格，n = 40）")


def test_the_quickstart_counts_with_measure_words_in_chinese():
    found = {"documents": 1200, "sentences": 3, "repeated": 2}
    parts = Parts(found, {"scores": []}, Knowledge((), 0.0, 0, "train"), {}, {}, 60.0)
    (line,) = [line for line in told_of(parts) if line.en.startswith("Text")]
    assert line.en == "Text: 1,200 documents  3 sentences  2 repeated lines dropped"
    assert line.zh == "文本：1,200 篇文档，3 个句子，去掉 2 个重复行"
