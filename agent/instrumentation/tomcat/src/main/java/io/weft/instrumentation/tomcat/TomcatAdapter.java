package io.weft.instrumentation.tomcat;

import io.weft.instrumentation.AdapterContext;

/** 8.5.76 and later, 9.0.48 and later, 10.1 and 11. Compiled against 10.1. */
public final class TomcatAdapter extends ServerAdapter {
    public TomcatAdapter(AdapterContext context) throws ReflectiveOperationException {
        super(context, MeshNioChannel::new);
    }
}
