package io.weft.instrumentation.tomcat;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.NioEndpoint;
import org.apache.tomcat.util.net.NioSelectorPool;
import org.apache.tomcat.util.net.SocketBufferHandler;

/** 9.0.27 to 9.0.46. Compiled against 9.0.27. */
public final class TomcatBefore9048Adapter extends ServerAdapter {
    public TomcatBefore9048Adapter(AdapterContext context) throws ReflectiveOperationException {
        super(context, maker(context));
    }

    private static MeshChannel.Maker maker(AdapterContext context) throws ReflectiveOperationException {
        MethodHandles.Lookup lookup = context.lookup(NioEndpoint.class.getName());
        MethodHandle selectors = lookup.findVirtual(NioEndpoint.class, "getSelectorPool", MethodType.methodType(NioSelectorPool.class));
        return (buffers, endpoint, bytes) -> make(buffers, endpoint, bytes, selectors);
    }

    private static NioChannel make(SocketBufferHandler buffers, NioEndpoint endpoint, MeshBytes bytes, MethodHandle selectors) {
        try {
            return new PolledMeshChannel(buffers, (NioSelectorPool) selectors.invokeExact(endpoint), endpoint, bytes);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }
}
