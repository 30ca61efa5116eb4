# One recipe for every app: docker build --build-arg APP=<folder in apps> .
# APP comes in at the very end, so the images of all apps share everything below their own few files.

FROM node:24-slim AS base
WORKDIR /app

# What decides what npm installs: a change in the code alone installs nothing again.
FROM base AS manifests
COPY . .
RUN mkdir /manifests && cp --parents .npmrc package.json package-lock.json */*/package.json /manifests

# The modules that run, without the peers that only some users of Nest need, such as gRPC and a compiler.
# npm links every workspace to node_modules/@shop; of these, code that runs asks for libs alone.
FROM base AS modules
COPY --from=manifests /manifests .
RUN --mount=type=cache,target=/root/.npm,sharing=locked \
    npm ci --omit=dev --omit=optional --ignore-scripts \
    && rm -r .npmrc apps libs/testing package-lock.json tools \
    && find node_modules/@shop -xtype l -delete

FROM base AS build
COPY --from=manifests /manifests .
RUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci --ignore-scripts
COPY . .
RUN NX_DAEMON=false npx nx run-many -t build && rm -r dist/libs/testing

FROM base
ENV NODE_ENV=production HOST=0.0.0.0 MANAGEMENT_PORT=9464
# A named volume that is mounted here starts with this owner.
RUN install --directory --owner=node --group=node /data
COPY --from=modules /app .
COPY docker/health.mjs docker/
COPY --from=build /app/dist/libs dist/libs
ARG APP=order
ENV APP=${APP}
COPY --from=build /app/dist/apps/${APP} dist/apps/${APP}
USER node
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["node", "docker/health.mjs"]
# The shell only fills in the name; exec makes node the process that gets the signals.
CMD ["sh", "-c", "exec node --enable-source-maps dist/apps/$APP/main.js"]
