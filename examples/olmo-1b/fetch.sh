#!/bin/sh
# What the jobs read, put where they look for it: run once, where there is a network, in the folder that they start in.
# The jobs themselves need none.
set -eu

# The revision is named by steps and tokens, and its exact name is looked up.
revision=$(python - <<'EOF'
from huggingface_hub import list_repo_refs

names = [branch.name for branch in list_repo_refs("allenai/OLMo-1B-hf").branches]
print(next(name for name in names if name.startswith("step605000-")))
EOF
)
hf download allenai/OLMo-1B-hf --revision "$revision" --local-dir models/olmo-1b-step605000

# A sample of Dolma 1.6, about 10 billion tokens; `urls/v1_6.txt` lists all of it.
hf download allenai/dolma urls/v1_6-sample.txt --repo-type dataset --local-dir corpus
mkdir -p corpus/dolma
xargs -n 1 -P 8 wget --continue --quiet --directory-prefix corpus/dolma < corpus/urls/v1_6-sample.txt

# MonoWeb: four corpora of English and French, eighteen checkpoints each; as Hugging Face models.
for variant in baseline monoweb onlyparallel onlycodeswitch; do
  hf download UCLNLP/monoweb --include "ckpt_exp_en_fr_$variant/*/hf_model/*" --local-dir models/monoweb
done
