rule environments:
    log:
        "<logs>/environments.log",
    conda:
        conda("analysis")
    params:
        commands=" && ".join(f"{command(name, 'environment')} --help" for name in ("mechanistic", "neural", "analysis")),
    shell:
        "({params.commands}) > {log}"
