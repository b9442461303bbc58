package io.weft.instrumentation.okhttp;

import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.net.ConnectException;
import okhttp3.Call;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;

/** What the library's own classes do for a call, and what differs most between its versions. Thread-safe. */
abstract class Calls {
    private final MethodHandle isWebSocket;

    private final MethodHandle client;

    private final MethodHandle cancel;

    Calls(Members call, Members codec) throws ReflectiveOperationException {
        isWebSocket = call.getter("forWebSocket");
        client = call.getter("client");
        cancel = codec.method("cancel");
    }

    static Calls of(AdapterContext context) throws ReflectiveOperationException {
        if (Members.isPresent(context, "okhttp3.internal.connection.StreamAllocation")) {
            return new CallsBefore4(context);
        }
        if (Members.isPresent(context, CallsFrom4.CALL)) {
            return new CallsFrom4(context);
        }
        throw new ClassNotFoundException("its calls find their connections in another way; supported versions: " + OkHttpModule.VERSIONS);
    }

    final boolean isWebSocket(Call call) throws Throwable {
        return (Boolean) (Object) isWebSocket.invokeExact((Object) call);
    }

    /** Ends what is written to and read from that codec. From any thread. */
    final void cancel(Object codec) {
        try {
            Object ignored = cancel.invokeExact(codec);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    ConnectionSettings settings(Interceptor.Chain chain) throws Throwable {
        return ConnectionSettings.of(client(chain.call()));
    }

    final OkHttpClient client(Call call) throws Throwable {
        return (OkHttpClient) (Object) client.invokeExact((Object) call);
    }

    /** From now on the call finds connections of that attempt only, pooled or new. To be called while it is the thread's own. */
    abstract void lead(Interceptor.Chain chain, Attempt attempt) throws Throwable;

    /** How the library is told that nothing is to be sent, so that it tells the app. */
    IOException refusal(ConnectException failure) {
        return failure;
    }

    /** Whether the attempt under way has a connection. */
    abstract boolean isConnected(Interceptor.Chain chain) throws Throwable;

    /**
     * The attempt's outcome is not the app's: another follows.
     *
     * @param failure null: there was a response, which is closed
     */
    abstract void drop(Interceptor.Chain chain, Exception failure) throws Throwable;
}
