import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsmith.text import sentences as module
from bertsmith.text.sentences import split_sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["Dr. Smith went to Washington, D.C. on Jan. 5.", "He paid $3.50, e.g. for tea."],
        ["J. R. R. Tolkien wrote it.", "See Fig. 2.", "The U.S. Army came at 5 p.m.", "It rained."],
        ['"Really?" she asked.', '"Yes!"', "He left."],
        ["He said “Go.”", "Then he went.", "(It was late.)", "Wait...", "What?!"],
        ["He met capt. Hook and approx. Ten others of the univ. Press.", "They sank.", "See sec. 4."],
        ["3. First item.", "Second, in 1999.", "Third"],
        ["i went home.", "it was cold."],
        ["This is tokenised .", "so is this ."],
        ["Это предложение.", "А это другое."],
        ["यह एक वाक्य है।", "यह दूसरा है।"],
        ["هل هذا سؤال؟", "نعم۔", "لا"],
        ["Version 2.0 of the file a.txt is at www.example.org now."],
        ["And then he said: no."],
    ],
)
def test_spaced_scripts_are_cut_at_the_ends_of_sentences(sentences):
    assert split_sentences(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["他说：“你好。”", "然后走了。", "你来吗？……", "不知道！"],
        ['"你好。"', "他说。", '"再见。"'],
        ["「えっ？」", "と言った。", "そうだ。"],
        ["价格是3.5元；", "他买了（见第2.1节）。"],
        ["我……", "我不知道，真的。"],
        ["真的吗?", "是的!", "好"],
        ["『好。』", "「行！」", "完"],
        ["他看了《你好！》，走了。"],
        ["我用Python 3.11写代码。", "It works.", "很好。"],
    ],
)
def test_chinese_and_japanese_need_no_blanks_and_closing_quotes_stay_with_their_sentence(sentences):
    assert split_sentences("".join(sentences).replace("It works.", " It works. ")) == sentences


def test_a_stretch_without_letters_goes_to_the_sentence_before_it():
    assert split_sentences("It ended. !!!") == ["It ended. !!!"]
    assert split_sentences("好。……！") == ["好。……！"]


@given(st.text(alphabet="ab A.!?。！“”\"'…） \n1我", max_size=60))
def test_no_character_but_blanks_is_lost_or_moved(text):
    joined = "".join(split_sentences(text))
    assert "".join(joined.split()) == "".join(text.split())


@given(st.text(max_size=60))
def test_no_sentence_is_empty(text):
    assert all(sentence.strip() for sentence in split_sentences(text))


PARTS = st.sampled_from(
    [
        *'aAI1.?!"(我。…',
        ". ",
        ". A",
        ". The",
        ".\u3000B",
        " ",
        "\n",
        "word",
        "fig",
        "Fig",
        "no",
        "mrs",
        "capt",
        "sections",
        "p.m",
        "Dr",
        "É",
    ]
)


@given(st.lists(PARTS, max_size=14).map("".join))
def test_ends_that_are_seen_at_a_glance_are_those_that_are_found_with_care(text):
    quickly = split_sentences(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FULL_STOPS", module._RUN)
        patch.setattr(module, "_PLAIN_GROUP", 0)
        assert split_sentences(text) == quickly
