"""Networks and gene sets as other people have them are read, or refused with what to change."""

import gzip
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetrain.data.gene_sets import check_gene_sets, read_gene_sets
from kinetrain.data.genes import read_gene_names
from kinetrain.data.network_files import read_edge_list
from kinetrain.data.networks import edge_table, read_signs, sparse_edges, sparse_matrix
from kinetrain.errors import InputError, InputWarning

GENES = ["GATA1", "KLF1", "SPI1", "FLI1", "MYC"]


@pytest.fixture
def write(tmp_path):
    """Write text or bytes under a name and return its path."""

    def write(content, name="edges.tsv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def edges(path, **options):
    """Return regulator, target and value of every edge of a file."""
    network = sparse_edges(path, GENES, **options)[0].toarray()
    return {(GENES[regulator], GENES[target]): network[target, regulator] for target, regulator in np.argwhere(network)}


@pytest.mark.parametrize("regulator", ["regulator", "TF", "Gene1", "source", "from", "reg", "Regulator"])
@pytest.mark.parametrize("target", ["target", "gene", "Gene2", "to", "aff", "TARGET"])
def test_the_field_s_usual_names_of_columns_are_known(write, regulator, target):
    assert edges(write(f"{regulator}\t{target}\nGATA1\tKLF1\n")) == {("GATA1", "KLF1"): 1}


@pytest.mark.parametrize("weight", ["weight", "edge", "score", "importance", "confidence", "Edge"])
def test_an_edge_of_weight_0_is_no_edge_whatever_the_weight_is_called(write, weight):
    text = f"reg\tgene\t{weight}\nGATA1\tKLF1\t1\nSPI1\tFLI1\t0\nMYC\tMYC\t0.5\n"
    assert edges(write(text)) == {("GATA1", "KLF1"): 1, ("MYC", "MYC"): 0.5}


@pytest.mark.parametrize("point", ["", ".0"])
def test_a_gold_standard_of_dream_is_read_without_a_header(write, point):
    text = f"GATA1\tKLF1\t1{point}\nSPI1\tFLI1\t0{point}\nMYC\tSPI1\t1{point}\n"
    with pytest.warns(InputWarning, match="has no header, read as regulator, target, edge"):
        assert edges(write(text)) == {("GATA1", "KLF1"): 1, ("MYC", "SPI1"): 1}


def test_signs_may_be_plus_and_minus(write):
    assert edges(write("TF\ttarget\tsign\nGATA1\tKLF1\t+\nSPI1\tFLI1\t-\n")) == {
        ("GATA1", "KLF1"): 1,
        ("SPI1", "FLI1"): -1,
    }


def test_the_types_of_edges_are_signs_where_they_are_plus_and_minus(write):
    text = "Gene1,Gene2,Type\nGATA1,KLF1,+\nSPI1,FLI1,-\n"
    assert edges(write(text)) == {("GATA1", "KLF1"): 1, ("SPI1", "FLI1"): -1}
    assert edges(write(text.replace("-", "unknown"))) == {("GATA1", "KLF1"): 1, ("SPI1", "FLI1"): 1}


@pytest.mark.parametrize(
    "word", ["inhibitory", "Repressing", "repressed", "suppression", "down-regulates quantity", "downregulation", "--|"]
)
def test_words_of_repression_are_no_edges_of_sign_plus(write, word):
    """Of the words that databases use some were read as activation: all signs were +."""
    with pytest.raises(InputError, match="the column 'effect' holds negative signs"):
        read_edge_list(write(f"TF\ttarget\teffect\nA\tB\tactivation\nB\tC\t{word}\n"))


@pytest.mark.parametrize(("positive", "negative"), [("A", "R"), ("a", "i"), ("act", "rep"), ("act", "inh")])
def test_abbreviated_signs_are_refused_in_a_column_that_holds_no_other_word(write, positive, negative):
    text = f"TF\ttarget\tmode\nA\tB\t{positive}\nB\tC\t{negative}\n"
    with pytest.raises(InputError, match=rf"the column 'mode' holds negative signs \({negative.lower()}\)"):
        read_edge_list(write(text))
    assert read_edge_list(write(f"{text}C\tD\te\n"))["value"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("word", ["downstream", "negative regulation of apoptosis", "-", "--", "A-1"])
def test_words_that_do_not_say_repression_are_not_read(write, word):
    table = read_edge_list(write(f"TF\ttarget\tremark\nA\tB\tx\nB\tC\t{word}\n"))
    assert table["value"].tolist() == [1, 1]


def test_other_text_columns_of_an_edge_list_are_not_read(write):
    text = "source,confidence,target,weight\nGATA1,A,KLF1,1\nSPI1,D,FLI1,-1\n"
    assert edges(write(text)) == {("GATA1", "KLF1"): 1, ("SPI1", "FLI1"): -1}


def test_of_repeated_edges_the_largest_weight_counts_and_that_is_reported(write):
    text = "regulator\ttarget\tweight\nGATA1\tKLF1\t1\nGATA1\tKLF1\t0\nSPI1\tFLI1\t-3\nSPI1\tFLI1\t2\n"
    with pytest.warns(
        InputWarning, match=r"2 edges are named before \(2 with another value\), the first is GATA1 to KLF1"
    ):
        assert edges(write(text)) == {("GATA1", "KLF1"): 1, ("SPI1", "FLI1"): -3}
    with pytest.warns(InputWarning, match="1 edges are named before"):
        matrix = sparse_matrix(write("1,2,1\n1,2,0\n"), GENES)[0].toarray()
    assert matrix[1, 0] == 1


def test_of_several_genes_of_a_probe_the_largest_weight_counts(write):
    path = write("regulator\ttarget\tweight\nGATA1\tMYC\t3\nKLF1\tMYC\t0\n")
    assert sparse_edges(path, ["GATA1 /// KLF1", "MYC"])[0].toarray().tolist() == [[0, 0], [3, 0]]
    path = write("name\tGATA1\tKLF1\nMYC\t3\t0.5\n")
    assert sparse_matrix(path, ["GATA1 /// KLF1", "MYC"], rows="targets")[0].toarray().tolist() == [[0, 0], [3, 0]]


@settings(deadline=None, max_examples=40)
@given(cells=st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=9, max_size=9))
def test_a_gold_standard_is_read_as_it_was_written_also_of_probes_of_several_genes(tmp_path_factory, cells):
    genes, network = ["GATA1", "GATA1 /// KLF1", "KLF1"], np.reshape(cells, (3, 3))
    path = tmp_path_factory.mktemp("gold") / "truth.tsv"
    edge_table(network, genes).to_csv(path, sep="\t", index=False)
    assert np.array_equal(read_signs(path, genes), network)
    if any(cells):
        with pytest.raises(InputError, match=r"truth\.tsv: \d genes are not those of the data: (GATA1|KLF1)"):
            read_signs(path, ["MYC"])


NUMBERS = st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 2.0])


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(st.tuples(st.sampled_from(GENES), st.sampled_from(GENES), NUMBERS), min_size=1, max_size=12),
    order=st.randoms(use_true_random=False),
)
@pytest.mark.filterwarnings("ignore::kinetrain.errors.InputWarning")
def test_a_network_does_not_depend_on_the_order_of_its_edges(tmp_path_factory, rows, order):
    path = tmp_path_factory.mktemp("edges") / "edges.csv"
    wanted = {}
    for regulator, target, value in rows:
        wanted.setdefault((regulator, target), []).append(value)
    wanted = {pair: max(values, key=lambda value: (abs(value), value)) for pair, values in wanted.items()}
    wanted = {pair: value for pair, value in wanted.items() if value}
    order.shuffle(rows)
    path.write_text(
        "from,to,weight\n" + "".join(f"{regulator},{target},{value}\n" for regulator, target, value in rows)
    )
    if wanted:
        assert edges(path) == wanted
    else:
        with pytest.raises(InputError, match="no edge between genes"):
            edges(path)


@settings(deadline=None, max_examples=40)
@given(cells=st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=25, max_size=25).filter(any))
def test_every_layout_of_a_network_holds_the_same(tmp_path_factory, cells):
    folder, matrix = tmp_path_factory.mktemp("layouts"), np.reshape(cells, (5, 5))  # [target, regulator]
    lines = ["\t".join(map(str, row)) for row in matrix.T]
    labelled = ["\t".join([name, *map(str, row)]) for name, row in zip(GENES, matrix, strict=True)]
    triplets = [f"{j + 1};{i + 1};{matrix[i, j]}" for i, j in np.argwhere(matrix)]
    texts = {
        "dense.tsv": lines,
        "triplets.csv": triplets,
        "pandas.tsv": ["\t".join(["", *GENES]), *labelled],
        "r.tsv": ["\t".join(GENES), *labelled],
    }
    for name, text in texts.items():
        (folder / name).write_text("\n".join(text) + "\n")
        rows = "targets" if name in ("pandas.tsv", "r.tsv") else None
        assert np.array_equal(sparse_matrix(folder / name, GENES, rows=rows)[0].toarray(), matrix), name
        if name != "triplets.csv":
            turned = {"targets": "regulators", None: "targets"}[rows]
            assert np.array_equal(sparse_matrix(folder / name, GENES, rows=turned)[0].toarray(), matrix.T), name
    edge_table(matrix, GENES).to_csv(folder / "edges.csv", index=False)
    assert np.array_equal(sparse_edges(folder / "edges.csv", GENES)[0].toarray(), matrix)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "regulator\ttarget\tEC50\nGATA1\tKLF1\t0.4\n",
            "the column 'ec50' holds numbers of unknown meaning: name it weight",
        ),
        ("regulator\ttarget\tpmid\nGATA1\tKLF1\t\nMYC\tKLF1\t123\n", "the column 'pmid' holds numbers of unknown"),
        ("TF\ttarget\tactivation\nMYC\tKLF1\tFALSE\n", "the column 'activation' holds truth values of unknown"),
        ("TF\ttarget\tin_gold\nMYC\tKLF1\tyes\nMYC\tMYC\tno\n", "the column 'in_gold' holds truth values of unknown"),
        ("TF\tregulator\ttarget\nx\tGATA1\tKLF1\n", "the columns TF, regulator all name the regulator: leave one"),
        ("TF\tgene\ttarget\nGATA1\tx\tKLF1\n", "the columns gene, target all name the target"),
        ("TF\tgene\tGene\nGATA1\tx\tKLF1\n", "the column 'gene' is named more than once"),
        ("TF\tgene\tscore\tweight\nGATA1\tKLF1\t1\t2\n", "the columns weight, score could all be the weight"),
        ("TF\tgene\tconfidence\nGATA1\tKLF1\tA\n", "the first is 'A' in row 2, column 'confidence'"),
        ("TF\tgene\tweight\nGATA1\tKLF1\t0,5\n", r"the first is '0,5' \(write a decimal point\) in row 2"),
        ("TF\tgene\tsign\nGATA1\tKLF1\t0\n", "row 2: the sign is 0, expected 1 or -1"),
        ("TF\tgene\tsign\nGATA1\tKLF1\tactivates\n", "the first is 'activates' in row 2, column 'sign'"),
        ("\tTF\tgene\n0\tGATA1\tKLF1\n", "column 1 has no name"),
        ("TF\tgene\n\nGATA1\tKLF1\n\t KLF1\n", "row 4 has no regulator"),
        ("GATA1\tKLF1\t0.7\n", "no column 'regulator'"),
        ("GATA1\tKLF1\t1\nMYC\tKLF1\t1\tx\n", "row 2 has 4 cells, the header 3"),
        ("GATA1\tKLF1\t1\n\tKLF1\t1\n", "row 2 has no regulator"),
        ("GATA1\tKLF1\n", "no column 'regulator'"),
        ("GATA1 KLF1 1\n", "no column 'regulator'.*columns must be separated by tabs, commas or semicolons"),
        ("TF\tgene\nGATA1\tTNF\nGATA1\tKLF1\n", "leave such edges out: restrict: true"),
    ],
)
def test_an_edge_list_that_is_unclear_is_refused_in_one_line(write, text, message):
    with pytest.raises(InputError, match=rf"edges\.tsv: .*{message}") as caught:
        edges(write(text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TF\ttarget\nGATA1\tKLF1\n", "is an edge list, no matrix: give it as `edges`"),
        ("name\tGATA1\tGATA1\nKLF1\t1\t0\n", "the column 'GATA1' is named more than once"),
        ("name\tGATA1\tSPI1\nKLF1\t1\t0\nKLF1\t0\t1\n", "the row 'KLF1' is named more than once"),
        ("name\tGATA1\tSPI1\n\t1\t0\nKLF1\t0\t1\n", "row 2 has no name in its first column"),
        ("name\tGATA1\tSPI1\nKLF1\t1\tTRUE\n", "the first is 'True' in row 2, column 'SPI1'"),
    ],
)
def test_a_matrix_that_is_unclear_is_refused(write, text, message):
    with pytest.raises(InputError, match=message):
        sparse_matrix(write(text), GENES)


def test_a_matrix_may_have_genes_that_are_called_like_columns_of_edge_lists(write):
    """TF is the symbol of transferrin."""
    path = write("gene\tTF\tMYC\nTF\t0\t1\nMYC\t0\t0\n")
    network = sparse_matrix(path, ["TF", "MYC"], rows="targets")[0].toarray()
    assert network.tolist() == [[0, 1], [0, 0]]


def test_the_rows_of_a_labelled_matrix_are_said_unless_they_are_many_or_it_is_symmetric(write):
    square = "\tGATA1\tKLF1\nGATA1\t0\t1\nKLF1\t{}\t0\n"
    for text in (square.format(0), "\tGATA1\tKLF1\tMYC\nSPI1\t0\t1\t0\n", "\tMYC\tKLF1\nGATA1\t0\t1\nKLF1\t1\t0\n"):
        with pytest.raises(
            InputError, match=r"do not tell which of them are regulators: say it, `rows: regulators` or"
        ):
            sparse_matrix(write(text), GENES)
    network = sparse_matrix(write(square.format(1)), GENES)[0].toarray()
    assert np.argwhere(network).tolist() == [[0, 1], [1, 0]]
    tall = "\tGATA1\tSPI1\nKLF1\t1\t0\nMYC\t0\t0\nFLI1\t0\t-1\n"
    assert np.argwhere(sparse_matrix(write(tall), GENES)[0].toarray()).tolist() == [[1, 0], [3, 2]]
    turned = sparse_matrix(write(tall), GENES, rows="regulators")[0].toarray()
    assert np.argwhere(turned).tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    ("name", "gene"),
    [("Gata1", "GATA1"), ("HLA-A", "HLA.A"), ("nkx2 5", "NKX2-5"), ("ENSG00000141510.5", "ENSG00000141510")],
)
def test_genes_that_may_be_meant_under_another_spelling_are_named(write, name, gene):
    text = f"TF\ttarget\n{name}\tMYC\nKLF1\tMYC\nTNF\tMYC\n"
    said = rf"1 differ from genes of the data by capitals, marks or a version alone: {re.escape(f'{name} ({gene})')}$"
    with pytest.raises(InputError, match=said):
        sparse_edges(write(text), ["MYC", "KLF1", gene])
    with pytest.warns(InputWarning, match=f"edges of genes that the data lack are left out; {said}"):
        assert sparse_edges(write(text), ["MYC", "KLF1", gene], restrict=True)[0].sum() == 1
    with pytest.raises(InputError, match=said):
        sparse_edges(write(f"TF\ttarget\n{name}\tTNF\n"), ["MYC", gene], restrict=True)


@pytest.mark.parametrize(("third", "values"), [("+-", (1, -1)), ("1,-1", (1, -1)), ("1,0", (1, 0))])
def test_a_gold_standard_without_a_header_may_have_signs(write, third, values):
    first, second = third.split(",") if "," in third else third
    with pytest.warns(InputWarning, match="has no header, read as regulator, target, "):
        found = edges(write(f"GATA1\tKLF1\t{first}\nSPI1\tFLI1\t{second}\n"))
    wanted = {("GATA1", "KLF1"): values[0], ("SPI1", "FLI1"): values[1]}
    assert found == {pair: value for pair, value in wanted.items() if value}


def test_gene_sets_that_hardly_go_with_the_genes_are_reported(write):
    sets = {"one": ["TRP53", "MYC", "KLF1"], "two": ["MYC"]}
    with pytest.raises(InputError, match=r"sets\.gmt: no gene set has 3 or more of the genes \(2 of them occur in any"):
        check_gene_sets("sets.gmt", sets, ["Trp53", "MYC", "KLF1"], 3)
    with pytest.warns(InputWarning, match=r"count for no set; 1 differ .* alone: TRP53 \(Trp53\)"):
        check_gene_sets("sets.gmt", sets, ["Trp53", "MYC", "KLF1"], 2)


def test_the_genes_of_a_matrix_may_stand_in_a_file_without_a_header(write):
    names, matrix = write("KLF1\nMYC\n", "names.txt"), write("0,1\n0,0\n", "matrix.csv")
    with pytest.warns(InputWarning, match=r"names\.txt: has no header, its first gene is 'KLF1'"):
        network = sparse_matrix(matrix, GENES, names)[0].toarray()
    assert np.argwhere(network).tolist() == [[4, 1]]
    assert read_gene_names(write("gene\nKLF1\nMYC\n", "names.txt"), GENES, 2) == ["KLF1", "MYC"]


GMT = "first\thttp://x\tGATA1\tKLF1 \t\nsecond\t\tMYC\n"


@pytest.mark.parametrize(
    "content",
    [
        GMT,
        GMT.replace("\n", "\r\n"),
        GMT.replace("GATA1", '"GATA1"'),
        GMT.encode("utf-16"),
        GMT.encode("utf-8-sig"),
        gzip.compress(GMT.encode()),
    ],
)
def test_gene_sets_are_read_in_every_layout(write, content):
    assert read_gene_sets(write(content, "sets.gmt.gz")) == {"first": ["GATA1", "KLF1"], "second": ["MYC"]}


def test_packed_go_slim_mappings_are_known_by_their_name(write):
    line = "YAL001C\tTFC3\tS1\tP\tgene silencing\tGO:1\tORF\n"
    assert read_gene_sets(write(gzip.compress(line.encode()), "slim.tab.gz")) == {"gene silencing": ["YAL001C"]}
