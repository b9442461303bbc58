package io.weft.instrumentation.armeriaclient;

import com.linecorp.armeria.client.ClientRequestContext;
import com.linecorp.armeria.client.ClientRequestContextWrapper;

/** In which the agent itself asks the library to send a request. */
class MeshContext extends ClientRequestContextWrapper {
    MeshContext(ClientRequestContext context) {
        super(context);
    }
}
