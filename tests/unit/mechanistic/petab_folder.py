"""PEtab problems of the tests, written from tables."""

import pandas as pd
import yaml


def write_petab(folder, sbml, tables: dict, version: int = 1):
    """Write a PEtab problem into `folder` and return its YAML; a table is a frame, or text with commas, or bytes."""
    (folder / "model.xml").write_bytes(sbml if isinstance(sbml, bytes) else sbml.encode())
    for name, table in tables.items():
        if isinstance(table, pd.DataFrame):
            table = table.to_csv(sep="\t", index=False)
        elif isinstance(table, str):
            table = table.replace(",", "\t") + "\n"
        (folder / f"{name}.tsv").write_bytes(table if isinstance(table, bytes) else table.encode())
    files = {f"{name.removesuffix('s')}_files": [f"{name}.tsv"] for name in tables}
    if version == 1:
        del files["parameter_files"]
        problems = [{"sbml_files": ["model.xml"], **files}]
        description = {"format_version": 1, "parameter_file": "parameters.tsv", "problems": problems}
    else:
        model = {"toy": {"location": "model.xml", "language": "sbml"}}
        description = {"format_version": "2.0.0", "model_files": model, **files}
    (folder / "problem.yaml").write_text(yaml.safe_dump(description))
    return folder / "problem.yaml"
