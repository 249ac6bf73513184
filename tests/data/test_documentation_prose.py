import inspect

import pytest

from bertsmith.data.documentation_prose import plain_text, prose

NUMPYDOC = """
    Fit the model to some data.

    The data are centred first::

        X = X - X.mean()

    Parameters
    ----------
    X : array-like of shape (n, d)
        The points to fit, a row a point.
    weights : ndarray, optional
        Weight of each of the points.

    Returns
    -------
    self : object
        The model after it was fitted.

    See Also
    --------
    transform : Move some points to the new space.

    Examples
    --------
    >>> model.fit(X)
    Model(fitted=True)

    The fitted model can be used at once.
    """

GOOGLE = """Open a file for reading only.

    Args:
        path (str): Where the file is, as a full path.
        mode: How the file is opened, which is
            always a matter of taste.

    Returns:
        The open file, which must be closed.
    """

SPHINX = """Send a message to the server.

    :param message: The text that is sent to the server.
    :type message: str
    :returns: Whether the server has answered in time.
    :rtype: bool

    .. code-block:: python

        send("hello to everyone out there")

    .. note:: The server may be slow to answer.

    .. versionadded:: 3.2
    """


def _lines(text):
    return list(prose(inspect.cleandoc(text)))


def test_of_numpydoc_the_descriptions_stay_and_code_types_and_headings_go():
    assert _lines(NUMPYDOC) == [
        "Fit the model to some data.",
        "The points to fit, a row a point.",
        "Weight of each of the points.",
        "The model after it was fitted.",
        "The fitted model can be used at once.",
    ]


def test_of_googles_style_the_descriptions_stay_and_the_names_go():
    assert _lines(GOOGLE) == [
        "Open a file for reading only.",
        "Where the file is, as a full path.",
        "How the file is opened, which is always a matter of taste.",
        "The open file, which must be closed.",
    ]


def test_of_sphinx_fields_the_descriptions_stay_and_types_and_directives_go():
    assert _lines(SPHINX) == [
        "Send a message to the server.",
        "The text that is sent to the server.",
        "Whether the server has answered in time.",
        "The server may be slow to answer.",
    ]


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        (":func:`~pathlib.Path.open` opens it", "open opens it"),
        ("see :ref:`the guide <guide-of-all>` first", "see the guide first"),
        ("``True`` or `False`, *never* **both**", "True or False, never both"),
        ("two :class:`Module`\\ s of one kind", "two Modules of one kind"),
        ("where :math:`\\alpha` is small", "where x is small"),
        ("as shown in [1]_ and `here <https://a.org/b>`_.", "as shown in and here."),
        ("read [the page](https://a.org) or https://b.org/c", "read the page or"),
        ("an <em>old</em> tag  and\tblanks", "an old tag and blanks"),
        ("f(*args, **kwargs) is called", "f(*args, **kwargs) is called"),
    ],
)
def test_inline_markup_is_taken_away(marked, plain):
    assert plain_text(marked) == plain


def test_tables_formulas_and_fenced_code_are_no_sentences():
    text = """These are the kinds of order.

    ====  =====================
    C     rows after each other
    ====  =====================

    | a | table with bars around |

    ```
    some code that looks like words
    ```

    y = a * x + b ** 2 - c / d
    """
    assert _lines(text) == ["These are the kinds of order."]


def test_a_line_that_only_announces_code_is_dropped():
    assert _lines("Use it in this way:\n\n    run(now)\n\nIt is then done for you.") == ["It is then done for you."]


def test_items_of_a_list_are_sentences_of_their_own():
    assert _lines("There are two of them.\n\n- The first one is small\n- The second one is\n  much larger") == [
        "There are two of them.",
        "The first one is small",
        "The second one is much larger",
    ]
