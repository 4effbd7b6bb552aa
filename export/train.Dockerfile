# All programs: training, evaluation, export, search, the API with a model of its own.
#   docker build --file export/train.Dockerfile --tag asen-train .
#   docker run --rm --user "$(id -u)" --volume "$PWD:/work" asen-train \
#     asen-train --config=configs/asen/csv.py --config.data.root=data --workdir=runs/asen
FROM python:3.12-slim-bookworm AS build
WORKDIR /source
RUN python -m venv /opt/asen
ENV PATH=/opt/asen/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# On a machine with a GPU: --build-arg TENSORFLOW=tensorflow[and-cuda], and docker run --gpus all.
ARG TENSORFLOW=tensorflow
COPY requirements.lock ./
RUN pip install --constraint requirements.lock "$TENSORFLOW"
COPY LICENSE README.md pyproject.toml setup.py ./
COPY client client
COPY configs configs
COPY asen_tf asen_tf
RUN pip install --constraint requirements.lock ./client ".[app,beam,milvus,pretrained,remote,tables,text]"

FROM python:3.12-slim-bookworm
RUN useradd --uid 10001 --create-home asen
COPY --from=build /opt/asen /opt/asen
ENV PATH=/opt/asen/bin:$PATH
USER 10001
WORKDIR /work
CMD ["asen-train", "--help"]
