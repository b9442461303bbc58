package io.weft.instrumentation.httpurlconnection;

import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Dropped;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.net.CookieHandler;
import sun.net.www.MessageHeader;
import sun.net.www.http.HttpClient;
import sun.net.www.protocol.http.HttpURLConnection;

/** The members of the JDK that are not public, or not the same on every version. */
final class Internals {
    /** Read once, by {@link Members}. */
    private static volatile AdapterContext context;

    final Dropped dropped = new Dropped();

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Internals.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    /** Takes the client, the three arguments of JDK 17, and gives a boolean. */
    private static MethodHandle parse(Lookup lookup) throws ReflectiveOperationException {
        MethodType wanted =
                MethodType.methodType(boolean.class, HttpClient.class, MessageHeader.class, Object.class, HttpURLConnection.class);
        for (var method : HttpClient.class.getDeclaredMethods()) {
            if (method.getName().equals("parseHTTP")) {
                MethodHandle handle = lookup.unreflect(method);
                return handle.type().parameterCount() == 4
                        ? handle.asType(wanted)
                        : MethodHandles.dropArguments(handle, 2, Object.class).asType(wanted);
            }
        }
        throw new NoSuchMethodException("sun.net.www.http.HttpClient.parseHTTP");
    }

    /** Connections are shared by the users of one store only, since some schemes authenticate a connection. */
    private static MethodHandle credentialStore(Lookup lookup) throws ReflectiveOperationException {
        for (var method : HttpURLConnection.class.getDeclaredMethods()) {
            // until JDK 20 and from JDK 21 on
            if (method.getName().equals("getAuthenticatorKey") || method.getName().equals("getAuthCache")) {
                return lookup.unreflect(method).asType(MethodType.methodType(Object.class, HttpURLConnection.class));
            }
        }
        throw new NoSuchMethodException("sun.net.www.protocol.http.HttpURLConnection.getAuthCache");
    }

    MessageHeader requests(HttpURLConnection connection) {
        return (MessageHeader) Members.REQUESTS.get(connection);
    }

    void client(HttpURLConnection connection, HttpClient http) {
        Members.CLIENT.set(connection, http);
    }

    /** The app's, of which the connection knows nothing from now on; null: it has none. */
    CookieHandler takeCookieHandler(HttpURLConnection connection) {
        CookieHandler apps = (CookieHandler) Members.COOKIE_HANDLER.get(connection);
        if (apps != null) {
            cookieHandler(connection, null);
        }
        return apps;
    }

    void cookieHandler(HttpURLConnection connection, CookieHandler apps) {
        Members.COOKIE_HANDLER.set(connection, apps);
    }

    /** The JDK's own code of {@code parseHTTP}. */
    boolean parse(HttpClient http, MessageHeader responses, Object progress, HttpURLConnection connection) throws IOException {
        try {
            return (boolean) Members.PARSE.invokeExact(http, responses, progress, connection);
        } catch (IOException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    Object credentialStore(HttpURLConnection connection) {
        try {
            return (Object) Members.CREDENTIAL_STORE.invokeExact(connection);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final VarHandle REQUESTS;
        static final VarHandle CLIENT;
        static final VarHandle COOKIE_HANDLER;
        static final MethodHandle PARSE;
        static final MethodHandle CREDENTIAL_STORE;

        static {
            AdapterContext context = Internals.context;
            try {
                Lookup ofConnection = context.lookup("sun.net.www.protocol.http.HttpURLConnection");
                Lookup ofClient = context.lookup("sun.net.www.http.HttpClient");
                REQUESTS = ofConnection.findVarHandle(HttpURLConnection.class, "requests", MessageHeader.class);
                CLIENT = ofConnection.findVarHandle(HttpURLConnection.class, "http", HttpClient.class);
                COOKIE_HANDLER = ofConnection.findVarHandle(HttpURLConnection.class, "cookieHandler", CookieHandler.class);
                PARSE = parse(ofClient);
                CREDENTIAL_STORE = credentialStore(ofConnection);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
