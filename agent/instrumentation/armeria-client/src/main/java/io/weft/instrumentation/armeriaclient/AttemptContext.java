package io.weft.instrumentation.armeriaclient;

import com.linecorp.armeria.client.ClientRequestContext;
import com.linecorp.armeria.client.Endpoint;
import com.linecorp.armeria.common.ContextAwareEventLoop;
import com.linecorp.armeria.common.HttpHeaders;
import com.linecorp.armeria.common.util.SafeCloseable;

/** That of one attempt. What of it the app's own code could see is the app's. */
final class AttemptContext extends MeshContext {
    private final ClientRequestContext app;
    private final Attempt attempt;
    private final Endpoint endpoint;

    /** @param endpoint where the library is to connect */
    AttemptContext(ClientRequestContext derived, ClientRequestContext app, Attempt attempt, Endpoint endpoint) {
        super(derived);
        this.app = app;
        this.attempt = attempt;
        this.endpoint = endpoint;
    }

    Attempt attempt() {
        return attempt;
    }

    @Override
    public Endpoint endpoint() {
        return endpoint;
    }

    /** Newer versions would put it in the place of the endpoint's host. There is none in plaintext. */
    public String sniHostname() {
        return null;
    }

    /** The request has them already. */
    @Override
    public HttpHeaders defaultRequestHeaders() {
        return HttpHeaders.of();
    }

    @Override
    public HttpHeaders additionalRequestHeaders() {
        return HttpHeaders.of();
    }

    @Override
    public ContextAwareEventLoop eventLoop() {
        return app.eventLoop();
    }

    @Override
    @SuppressWarnings("MustBeClosedChecker") // by who pushes it
    public SafeCloseable push() {
        return app.push();
    }
}
