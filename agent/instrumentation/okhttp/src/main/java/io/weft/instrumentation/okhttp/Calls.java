package io.weft.instrumentation.okhttp;

import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.net.ConnectException;
import java.net.Socket;
import okhttp3.Call;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;

/** What the library's own classes do for a call, and what differs most between its versions. Thread-safe. */
abstract class Calls {
    /** Read once, when handles are looked up. */
    static volatile AdapterContext context;

    private final MethodHandle cancel;

    Calls(AdapterContext context, String codec) throws ReflectiveOperationException {
        Calls.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), OfEachCall.class);
        cancel = new Members(context, codec).method("cancel");
    }

    static Calls of(AdapterContext context) throws ReflectiveOperationException {
        if (Members.isPresent(context, CallsBefore314.STREAMS)) {
            return new CallsBefore314(context);
        }
        if (Members.isPresent(context, CallsFrom314.TRANSMITTER)) {
            return new CallsFrom314(context);
        }
        if (Members.isPresent(context, CallsFrom44.CALL)) {
            return new CallsFrom44(context);
        }
        throw new ClassNotFoundException("its calls find their connections in another way; supported versions: " + OkHttpModule.VERSIONS);
    }

    final boolean isWebSocket(Call call) throws Throwable {
        return (Boolean) (Object) OfEachCall.IS_WEB_SOCKET.invokeExact((Object) call);
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
        return (OkHttpClient) (Object) OfEachCall.CLIENT.invokeExact((Object) call);
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

    /** @param socket null: none */
    static void close(Object socket) {
        if (socket != null) {
            try {
                ((Socket) socket).close();
            } catch (IOException closed) {
                // The library does not look at it either.
                return;
            }
        }
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class OfEachCall {
        static final MethodHandle IS_WEB_SOCKET;
        static final MethodHandle CLIENT;

        static {
            AdapterContext context = Calls.context;
            try {
                Members call = new Members(context, Members.isPresent(context, CallsFrom44.CALL) ? CallsFrom44.CALL : "okhttp3.RealCall");
                IS_WEB_SOCKET = call.getter("forWebSocket");
                CLIENT = call.getter("client");
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
