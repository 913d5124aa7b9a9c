# The production image: web and worker are the same image with another command.
#   docker build -t kameng .
#   docker run -e DATABASE_URL=… -e REDIS_URL=… -e KAMENG_KAMENG__ENVIRONMENT=production kameng serve
#   docker run -e DATABASE_URL=… -e REDIS_URL=… -e KAMENG_KAMENG__ENVIRONMENT=production kameng worker
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/kameng && /opt/kameng/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY engine engine
COPY modules modules
COPY themes themes
RUN /opt/kameng/bin/pip install --no-cache-dir --no-deps --no-build-isolation engine modules/* themes/*

FROM python:3.13-slim
RUN useradd --system --create-home --uid 10001 kameng
COPY --from=build /opt/kameng /opt/kameng
ENV PATH=/opt/kameng/bin:$PATH PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000 \
    KAMENG_KAMENG__ENVIRONMENT=production KAMENG_KAMENG__LOG_FORMAT=json
USER kameng
WORKDIR /home/kameng
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=4s CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:%s/livez' % os.environ['PORT'], timeout=3)"]
ENTRYPOINT ["kameng"]
CMD ["serve"]
