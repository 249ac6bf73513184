"""The heads, and the networks that carry them (Devlin et al. 2019, sections 3.1 and 3.2).

M masked rows, D width, V vocabulary, B sequences, C classes.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from bertsmith.config.bert import BertConfig
from bertsmith.models.bert.dropout import Dropout
from bertsmith.models.bert.encoder import ACTIVATE, Bert
from bertsmith.models.bert.losses import Loss, class_loss, masked_lm_loss, tied_logits
from bertsmith.models.bert.pack import Pack


class MaskedLMHead(nn.Module):
    """Dense layer, activation and norm in front of the product with the piece table, which is the embeddings' own."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.transform = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.activate = ACTIVATE[config.hidden_act]

    def forward(self, hidden_MD: Tensor) -> Tensor:
        """The vectors that meet the table: (M, D)."""
        transformed_MD: Tensor = self.norm(self.activate(self.transform(hidden_MD)))
        return transformed_MD


class PretrainingLoss(NamedTuple):
    """The two parts of the objective; next sentence is None where there are no pairs."""

    masked_lm: Loss
    next_sentence: Loss | None


class BertForPretraining(nn.Module):
    """BERT with the masked LM head and the next-sentence head."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.bert = Bert(config)
        self.masked_lm = MaskedLMHead(config)
        self.next_sentence = nn.Linear(config.hidden_size, 2)

    def forward(self, pack: Pack, token_weight: float, pair_weight: float) -> PretrainingLoss:
        """The weighted losses of a pack; the MLM head sees the masked rows only.

        Args:
            pack: masked sequences with their labels.
            token_weight: 1 / masked tokens of the step.
            pair_weight: 1 / pairs of the step.
        """
        firsts_B = pack.firsts_B[: len(pack.targets_B)]  # none where there are no pairs
        read_RD = self.bert(pack, torch.cat([firsts_B, pack.masked_M]))
        first_BD, hidden_MD = read_RD.split([len(firsts_B), len(pack.masked_M)])
        masked_MD = self.masked_lm(hidden_MD)
        masked_lm = masked_lm_loss(masked_MD, self.bert.embeddings.pieces, self.masked_lm.bias, pack.labels_M, token_weight)
        if not len(firsts_B):
            return PretrainingLoss(masked_lm, None)
        logits_BC = self.next_sentence(self.bert.pool(first_BD))
        return PretrainingLoss(masked_lm, class_loss(logits_BC, pack.targets_B, pair_weight))

    def masked_logits(self, pack: Pack) -> Tensor:
        """Logits over the vocabulary for each masked row: (M, V), fp32."""
        hidden_MD = self.masked_lm(self.bert(pack, pack.masked_M))
        return tied_logits(hidden_MD, self.bert.embeddings.pieces, self.masked_lm.bias)

    def pair_logits(self, pack: Pack) -> Tensor:
        """Logits of next and not-next for each sequence: (B, 2)."""
        logits_BC: Tensor = self.next_sentence(self.bert.pool(self.bert(pack, pack.firsts_B)))
        return logits_BC


class BertForClassification(nn.Module):
    """BERT with one linear layer over the pooled first token."""

    def __init__(self, config: BertConfig, classes: int) -> None:
        super().__init__()
        self.config = config
        self.bert = Bert(config)
        p = config.hidden_dropout_prob if config.classifier_dropout is None else config.classifier_dropout
        self.dropout = Dropout(p)
        self.classifier = nn.Linear(config.hidden_size, classes)

    def forward(self, pack: Pack) -> Tensor:
        """Logits of every class for each sequence, in the order of the pack: (B, C)."""
        logits_BC: Tensor = self.classifier(self.dropout(self.bert.pool(self.bert(pack, pack.firsts_B))))
        return logits_BC
