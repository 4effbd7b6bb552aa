# The HTTP API, the page and asen-index, without TensorFlow: the model is served elsewhere.
#   docker build --file export/app.Dockerfile --tag asen-app .
FROM python:3.12-slim-bookworm AS build
WORKDIR /source
RUN python -m venv /opt/asen
ENV PATH=/opt/asen/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# First what changes seldom. The lock holds everything, which is gigabytes; these are what it takes.
COPY requirements.lock export/app.txt ./
RUN pip install --constraint requirements.lock --requirement app.txt
COPY LICENSE README.md pyproject.toml setup.py ./
COPY client client
COPY configs configs
COPY asen_tf asen_tf
RUN pip install --no-deps ./client .

FROM python:3.12-slim-bookworm
RUN useradd --uid 10001 --no-create-home asen
COPY --from=build /opt/asen /opt/asen
ENV PATH=/opt/asen/bin:$PATH
USER 10001
EXPOSE 8080
# Health needs no key.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD \
  ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/v1/health')"]
ENTRYPOINT ["asen-app", "--host=0.0.0.0"]
