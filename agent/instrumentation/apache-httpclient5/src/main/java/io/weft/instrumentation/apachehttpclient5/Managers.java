package io.weft.instrumentation.apachehttpclient5;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.apache.hc.client5.http.classic.ExecRuntime;
import org.apache.hc.client5.http.io.HttpClientConnectionManager;

/** From where a runtime of the library's has its connections. Thread-safe. */
final class Managers {
    private final Class<?> runtimes;
    private final MethodHandle manager;

    Managers(AdapterContext context) throws ReflectiveOperationException {
        MethodHandles.Lookup runtime = context.lookup("org.apache.hc.client5.http.impl.classic.InternalExecRuntime");
        runtimes = runtime.lookupClass();
        manager = runtime.findGetter(runtimes, "manager", HttpClientConnectionManager.class).asType(MethodType.methodType(Object.class, ExecRuntime.class));
    }

    /** The app's manager, of whatever kind; null: it is not known. */
    Object of(ExecRuntime runtime) {
        if (runtime.getClass() != runtimes) {
            return null;
        }
        try {
            return (Object) manager.invokeExact(runtime);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }
}
