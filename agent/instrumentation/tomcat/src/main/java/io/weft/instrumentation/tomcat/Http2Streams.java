package io.weft.instrumentation.tomcat;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.apache.coyote.Request;
import org.apache.tomcat.util.net.SocketWrapperBase;

/** From Tomcat's HTTP/2 streams, whose classes are package-private, to their requests and connections. */
final class Http2Streams {
    private static final String STREAM = "org.apache.coyote.http2.Stream";

    private final MethodHandle request;
    private final MethodHandle requestOfOutput;
    private final MethodHandle connection;
    private final MethodHandle pause;

    Http2Streams(AdapterContext context) throws ReflectiveOperationException {
        MethodHandles.Lookup stream = context.lookup(STREAM);
        MethodHandles.Lookup output = context.lookup(STREAM + "$StreamOutputBuffer");
        MethodHandle ofStream =
                stream.findVirtual(stream.lookupClass(), "getCoyoteRequest", MethodType.methodType(Request.class));
        MethodHandle outer = output.findGetter(output.lookupClass(), "this$0", stream.lookupClass());
        request = ofStream.asType(MethodType.methodType(Request.class, Object.class));
        requestOfOutput = MethodHandles.filterReturnValue(outer, ofStream)
                .asType(MethodType.methodType(Request.class, Object.class));
        MethodHandles.Lookup handler = context.lookup("org.apache.coyote.http2.Http2UpgradeHandler");
        connection = MethodHandles.filterReturnValue(
                        stream.findGetter(stream.lookupClass(), "handler", handler.lookupClass()),
                        handler.findGetter(handler.lookupClass(), "socketWrapper", SocketWrapperBase.class))
                .asType(MethodType.methodType(SocketWrapperBase.class, Object.class));
        MethodHandles.Lookup processor = context.lookup("org.apache.coyote.http2.StreamProcessor");
        pause = MethodHandles.filterArguments(
                        handler.findVirtual(handler.lookupClass(), "pause", MethodType.methodType(void.class)),
                        0,
                        processor.findGetter(processor.lookupClass(), "handler", handler.lookupClass()))
                .asType(MethodType.methodType(void.class, Object.class));
    }

    /** Tells the caller, by a GOAWAY, to use another connection for what comes next. More than once does nothing more. */
    void lastOfConnection(Object streamProcessor) throws Throwable {
        pause.invokeExact(streamProcessor);
    }

    Request ofStream(Object stream) throws Throwable {
        return (Request) request.invokeExact(stream);
    }

    SocketWrapperBase<?> connection(Object stream) throws Throwable {
        return (SocketWrapperBase<?>) (SocketWrapperBase) connection.invokeExact(stream);
    }

    Request ofOutput(Object outputBuffer) throws Throwable {
        return (Request) requestOfOutput.invokeExact(outputBuffer);
    }
}
