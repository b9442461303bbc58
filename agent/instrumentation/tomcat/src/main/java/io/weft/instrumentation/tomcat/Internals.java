package io.weft.instrumentation.tomcat;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.connector.CoyoteAdapter;
import org.apache.coyote.AbstractProcessor;
import org.apache.coyote.AbstractProtocol;
import org.apache.coyote.ActionHook;
import org.apache.coyote.OutputBuffer;
import org.apache.coyote.Request;
import org.apache.coyote.Response;
import org.apache.coyote.http11.Http11Processor;
import org.apache.tomcat.util.net.AbstractEndpoint;
import org.apache.tomcat.util.net.SendfileDataBase;
import org.apache.tomcat.util.net.SocketWrapperBase;

/** Fields that Tomcat has no accessor for; the same in 9, 10.1 and 11. */
final class Internals {
    private final VarHandle connector;
    private final VarHandle keepAlive;
    private final VarHandle sendfileData;
    private final VarHandle socketWrapper;
    private final VarHandle hook;
    private final VarHandle outputBuffer;
    private final VarHandle endpoint;
    /** Null in old versions, whose {@code closeSocket} closes also what has no wrapper. */
    private final MethodHandle destroySocket;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        connector = field(context, CoyoteAdapter.class, "connector", Connector.class);
        keepAlive = field(context, Http11Processor.class, "keepAlive", boolean.class);
        sendfileData = field(context, Http11Processor.class, "sendfileData", SendfileDataBase.class);
        socketWrapper = field(context, AbstractProcessor.class, "socketWrapper", SocketWrapperBase.class);
        hook = field(context, Request.class, "hook", ActionHook.class);
        endpoint = field(context, AbstractProtocol.class, "endpoint", AbstractEndpoint.class);
        outputBuffer = field(context, Response.class, "outputBuffer", OutputBuffer.class);
        destroySocket = destroySocket(context.lookup(AbstractEndpoint.class.getName()));
    }

    private static MethodHandle destroySocket(MethodHandles.Lookup lookup) throws IllegalAccessException {
        try {
            return lookup.findVirtual(AbstractEndpoint.class, "destroySocket", MethodType.methodType(void.class, Object.class));
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    private static VarHandle field(AdapterContext context, Class<?> holder, String name, Class<?> type)
            throws ReflectiveOperationException {
        MethodHandles.Lookup lookup = context.lookup(holder.getName());
        return lookup.findVarHandle(holder, name, type);
    }

    Connector connector(CoyoteAdapter adapter) {
        return (Connector) connector.get(adapter);
    }

    /** The connection ends with this response; before the head is written Tomcat then adds {@code Connection: close}. */
    void closeAfterResponse(Http11Processor processor) {
        keepAlive.setVolatile(processor, false);
    }

    boolean sendsFile(Http11Processor processor) {
        return (SendfileDataBase) sendfileData.get(processor) != null;
    }

    SocketWrapperBase<?> connection(AbstractProcessor processor) {
        return (SocketWrapperBase<?>) socketWrapper.get(processor);
    }

    AbstractEndpoint<?, ?> endpoint(AbstractProtocol<?> protocol) {
        return (AbstractEndpoint<?, ?>) endpoint.get(protocol);
    }

    /** @return what {@code setSocketOptions} is to return: Tomcat then closes its wrapper of the socket, and here there is none yet */
    Object refused(AbstractEndpoint<?, ?> endpoint, Object socket) throws Throwable {
        if (destroySocket != null) {
            destroySocket.invoke(endpoint, socket);
        }
        return false;
    }

    OutputBuffer outputBuffer(Response response) {
        return (OutputBuffer) outputBuffer.get(response);
    }

    /** Over which the request came, also on a stream of HTTP/2. */
    SocketWrapperBase<?> connection(Request request) {
        return connection((AbstractProcessor) (ActionHook) hook.get(request));
    }
}
