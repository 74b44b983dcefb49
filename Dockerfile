# One image for web, worker and the one-shot migration. The lock is hashed; nothing runs as root.

FROM python:3.13-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/carillon
ENV PATH=/opt/carillon/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.lock requirements-dev.lock ./
# setuptools is pinned in the whole lock alone: nothing at run time needs it.
RUN pip install --require-hashes --requirement requirements.lock \
    && python -c "import re; text = open('requirements-dev.lock').read(); \
print(re.search(r'^setuptools==.*?(?=^\S|\Z)', text, re.M | re.S).group())" > build.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --requirement build.lock
COPY pyproject.toml README.md LICENSE carillon.py ./
COPY broker broker
COPY ledger ledger
COPY channels channels
COPY sources sources
COPY config config
COPY workers workers
COPY web web
COPY sandbox sandbox
COPY cli cli
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip install --no-deps /wheels/*.whl

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/carillon carillon
COPY --from=build /opt/carillon /opt/carillon
ENV PATH=/opt/carillon/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER carillon
WORKDIR /var/lib/carillon
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["carillon"]
CMD ["up"]
