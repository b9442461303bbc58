package io.weft.instrumentation.jetty;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.eclipse.jetty.io.AbstractEndPoint;

/** Has an end point's socket selected for reading, which only the end point itself can say otherwise. */
final class Interest {
    private final AdapterContext context;
    private final MethodHandle needsFillInterest;

    Interest(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        MethodHandles.Lookup lookup = context.lookup(AbstractEndPoint.class.getName());
        needsFillInterest = lookup.findVirtual(AbstractEndPoint.class, "needsFillInterest", MethodType.methodType(void.class));
    }

    /** Does not block. */
    void renew(AbstractEndPoint endPoint) {
        try {
            needsFillInterest.invokeExact(endPoint);
        } catch (Throwable fault) {
            context.warn("Jetty: a connection that was held up is closed: " + fault);
            endPoint.close();
        }
    }
}
