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
import org.apache.coyote.InputBuffer;
import org.apache.coyote.OutputBuffer;
import org.apache.coyote.Request;
import org.apache.coyote.Response;
import org.apache.coyote.http11.Http11Processor;
import org.apache.tomcat.util.http.MimeHeaders;
import org.apache.tomcat.util.net.AbstractEndpoint;
import org.apache.tomcat.util.net.SendfileDataBase;
import org.apache.tomcat.util.net.SocketWrapperBase;

/** Fields that Tomcat has no accessor for, the same in 9, 10.1 and 11, and methods that not all versions have. */
final class Internals {
    /** Read once, by {@link Members}. */
    private static volatile AdapterContext context;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Internals.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    private static MethodHandle destroySocket(MethodHandles.Lookup lookup) throws IllegalAccessException {
        try {
            return lookup.findVirtual(AbstractEndpoint.class, "destroySocket", MethodType.methodType(void.class, Object.class));
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    private static MethodHandle available() throws IllegalAccessException {
        try {
            return MethodHandles.publicLookup().findVirtual(InputBuffer.class, "available", MethodType.methodType(int.class));
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
        return (Connector) Members.CONNECTOR.get(adapter);
    }

    /** The connection ends with this response; before the head is written Tomcat then adds {@code Connection: close}. */
    void closeAfterResponse(Http11Processor processor) {
        Members.KEEP_ALIVE.setVolatile(processor, false);
    }

    boolean sendsFile(Http11Processor processor) {
        return (SendfileDataBase) Members.SENDFILE_DATA.get(processor) != null;
    }

    SocketWrapperBase<?> connection(AbstractProcessor processor) {
        return (SocketWrapperBase<?>) Members.SOCKET_WRAPPER.get(processor);
    }

    AbstractEndpoint<?, ?> endpoint(AbstractProtocol<?> protocol) {
        return (AbstractEndpoint<?, ?>) Members.ENDPOINT.get(protocol);
    }

    /** @return what {@code setSocketOptions} is to return: Tomcat then closes its wrapper of the socket, and here there is none yet */
    Object refused(AbstractEndpoint<?, ?> endpoint, Object socket) throws Throwable {
        if (Members.DESTROY_SOCKET != null) {
            Members.DESTROY_SOCKET.invoke(endpoint, socket);
        }
        return false;
    }

    /** What of a request's body can be read at once. */
    int available(InputBuffer body) {
        try {
            return Members.AVAILABLE == null ? 0 : (int) Members.AVAILABLE.invokeExact(body);
        } catch (RuntimeException | Error librarys) {
            throw librarys;
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    OutputBuffer outputBuffer(Response response) {
        return (OutputBuffer) Members.OUTPUT_BUFFER.get(response);
    }

    /** How many headers there may be; negative: as many as there are. */
    int limit(MimeHeaders headers) {
        return (int) Members.HEADER_LIMIT.get(headers);
    }

    /** Over which the request came, also on a stream of HTTP/2. */
    SocketWrapperBase<?> connection(Request request) {
        return connection((AbstractProcessor) (ActionHook) Members.HOOK.get(request));
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final VarHandle CONNECTOR;
        static final VarHandle KEEP_ALIVE;
        static final VarHandle SENDFILE_DATA;
        static final VarHandle SOCKET_WRAPPER;
        static final VarHandle HOOK;
        static final VarHandle OUTPUT_BUFFER;
        static final VarHandle ENDPOINT;
        static final VarHandle HEADER_LIMIT;
        /** Null in old versions, whose {@code closeSocket} closes also what has no wrapper. */
        static final MethodHandle DESTROY_SOCKET;
        /** Null before 9.0.40, which does not ask for it. */
        static final MethodHandle AVAILABLE;

        static {
            AdapterContext context = Internals.context;
            try {
                CONNECTOR = field(context, CoyoteAdapter.class, "connector", Connector.class);
                KEEP_ALIVE = field(context, Http11Processor.class, "keepAlive", boolean.class);
                SENDFILE_DATA = field(context, Http11Processor.class, "sendfileData", SendfileDataBase.class);
                SOCKET_WRAPPER = field(context, AbstractProcessor.class, "socketWrapper", SocketWrapperBase.class);
                HOOK = field(context, Request.class, "hook", ActionHook.class);
                ENDPOINT = field(context, AbstractProtocol.class, "endpoint", AbstractEndpoint.class);
                HEADER_LIMIT = field(context, MimeHeaders.class, "limit", int.class);
                OUTPUT_BUFFER = field(context, Response.class, "outputBuffer", OutputBuffer.class);
                AVAILABLE = available();
                DESTROY_SOCKET = destroySocket(context.lookup(AbstractEndpoint.class.getName()));
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
