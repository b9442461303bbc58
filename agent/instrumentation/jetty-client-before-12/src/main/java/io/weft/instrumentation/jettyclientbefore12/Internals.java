package io.weft.instrumentation.jettyclientbefore12;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.HttpDestination;
import org.eclipse.jetty.client.HttpRequest;
import org.eclipse.jetty.client.HttpResponse;
import org.eclipse.jetty.client.Origin;
import org.eclipse.jetty.client.api.Connection;
import org.eclipse.jetty.client.api.Request;
import org.eclipse.jetty.client.api.Response;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;

/**
 * What of the library's is not for everybody, and what is not the same in 9.4 as in 10 and 11: there the headers are an interface, with
 * another one for those that may be changed, and a body has another type. Thread-safe.
 */
final class Internals {
    /** Read once, by {@link Members}. */
    private static volatile AdapterContext context;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Internals.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    private static MethodHandle protocol() throws IllegalAccessException {
        try {
            return generic(MethodHandles.publicLookup().unreflect(Origin.class.getMethod("getProtocol")));
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    private static Field patience() throws NoSuchFieldException {
        for (Field field : HttpRequest.class.getDeclaredFields()) {
            if (field.getName().equals("timeoutAt") || field.getName().equals("timeoutNanoTime")) {
                return field;
            }
        }
        throw new NoSuchFieldException("when a request's time is over");
    }

    private static Class<?> destinationType() throws ClassNotFoundException {
        return Class.forName("org.eclipse.jetty.client.api.Destination", false, HttpClient.class.getClassLoader());
    }

    private static Class<?> mutableFields() throws ClassNotFoundException {
        return HttpFields.class.isInterface()
                ? Class.forName(HttpFields.class.getName() + "$Mutable", false, HttpFields.class.getClassLoader())
                : HttpFields.class;
    }

    /** Whatever it returns. */
    private static MethodHandle edit(Class<?> mutable, String name, Class<?>... what) throws ReflectiveOperationException {
        MethodHandle edit = MethodHandles.publicLookup().unreflect(mutable.getMethod(name, what));
        MethodType type = MethodType.methodType(void.class, Object.class).appendParameterTypes(what);
        return edit.asType(type);
    }

    private static MethodHandle generic(MethodHandle handle) {
        return handle.asType(handle.type().generic());
    }

    private static MethodHandle optional(MethodHandles.Lookup lookup, Class<?> type, String name, MethodType method)
            throws IllegalAccessException {
        try {
            return lookup.findVirtual(type, name, method);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    /** The app's patience begins. */
    void sent(HttpRequest request) throws Throwable {
        Members.SENT.invokeExact(request);
    }

    /**
     * An attempt has the app's body, and what is left of its patience.
     *
     * @param body null: none
     */
    void share(HttpRequest apps, Object body, HttpRequest attempt) throws Throwable {
        Members.SET_PATIENCE.invokeExact(attempt, (long) Members.GET_PATIENCE.invokeExact(apps));
        Members.SET_CONTENT.invokeExact(attempt, Members.BODIES == null || body == null ? body : Members.BODIES.ofAttempt(body));
    }

    /** From 10 on, a request that goes out has a body, be it an empty one: the library's own handlers count on it. */
    void completeBody(HttpRequest apps) {
        try {
            if (Members.BODIES != null && (Object) Members.GET_CONTENT.invokeExact((Object) apps) == null) {
                Members.SET_CONTENT.invokeExact(apps, Members.BODIES.none());
            }
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    /** What the app may ask its request for. */
    void connection(HttpRequest attempt, HttpRequest apps) {
        try {
            if (Members.GET_CONNECTION != null && Members.SET_CONNECTION != null) {
                Members.SET_CONNECTION.invokeExact(apps, (Connection) Members.GET_CONNECTION.invokeExact(attempt));
            }
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    /**
     * Nothing more is read of the app's body, and whoever still writes it is told so.
     *
     * @param body null: none
     */
    void fail(Object body, Throwable failure) {
        if (Members.BODIES != null && body != null) {
            Members.BODIES.fail(body, failure);
        }
    }

    /** Of the app's with its request, from now on; the library keeps the time of what it sends, and a pause is none of that. */
    long patienceNanos(HttpRequest apps) {
        try {
            long end = (long) Members.GET_PATIENCE.invokeExact(apps);
            return end == -1 || end == Long.MAX_VALUE ? Long.MAX_VALUE : Math.max(0, end - System.nanoTime());
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    /** Null: none. */
    Object content(HttpRequest request) {
        try {
            return Members.GET_CONTENT.invokeExact((Object) request);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    /** Bytes; below 0: it is not known. */
    long length(Object content) {
        try {
            return (long) Members.LENGTH.invokeExact(content);
        } catch (RuntimeException | Error appsOwn) {
            throw appsOwn;
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    /** Of a body that is in memory. Null: they are not to be had. */
    @SuppressWarnings("unchecked")
    Iterable<ByteBuffer> buffers(Object content) {
        if (content instanceof Iterable<?> provider) {
            return (Iterable<ByteBuffer>) provider;
        }
        try {
            return Members.BYTES != null && Members.BYTES_TYPE.isInstance(content)
                    ? Stream.of((byte[][]) (Object) Members.BYTES.invokeExact(content)).map(ByteBuffer::wrap).toList()
                    : null;
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    HttpDestination resolve(HttpClient client, AttemptRequest request) throws Throwable {
        return (HttpDestination) (Members.RESOLVES_REQUESTS
                ? (Object) Members.RESOLVE.invokeExact((Object) client, (Object) request)
                : (Object) Members.RESOLVE.invokeExact((Object) client, (Object) request.getScheme(), (Object) request.getHost(),
                        (Object) request.getPort(), (Object) request.getTag()));
    }

    void remove(HttpClient client, HttpDestination destination) throws Throwable {
        boolean ignored = (boolean) Members.REMOVE.invokeExact(client, destination);
    }

    static Iterable<HttpField> fields(Request request) {
        return iterable(request.getHeaders());
    }

    static Iterable<HttpField> fields(Response response) {
        return iterable(response.getHeaders());
    }

    static Iterable<HttpField> trailers(Response response) {
        // What the library itself has read before it tells of it has none.
        Object trailers = response instanceof HttpResponse own ? own.getTrailers() : null;
        return trailers == null ? List.of() : iterable(trailers);
    }

    @SuppressWarnings("unchecked")
    static Iterable<HttpField> iterable(Object fields) {
        return (Iterable<HttpField>) fields;
    }

    /** No headers, to which some may be added. */
    Object none() {
        try {
            return Members.NONE.invokeExact();
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    HttpFields copy(HttpFields fields) {
        try {
            return (HttpFields) (Object) Members.COPY.invokeExact((Object) fields);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    void add(Object fields, HttpField field) {
        try {
            Members.ADD_FIELD.invokeExact(fields, field);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    void add(Object fields, String name, String value) {
        try {
            Members.ADD.invokeExact(fields, name, value);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    void put(Object fields, String name, String value) {
        try {
            Members.PUT.invokeExact(fields, name, value);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    /** Where the one of that name is, if there is one. */
    void put(Object fields, HttpField field) {
        try {
            Members.PUT_FIELD.invokeExact(fields, field);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    void remove(Object fields, String name) {
        try {
            Members.REMOVE_FIELDS.invokeExact(fields, name);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    void addTo(HttpResponse response, HttpField field) {
        if (Members.ADD_TO_RESPONSE == null) {
            add(response.getHeaders(), field);
            return;
        }
        try {
            Object ignored = Members.ADD_TO_RESPONSE.invokeExact((Object) response, (Object) field);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    /** Whether a connection is for HTTP/2 from its first byte on. */
    boolean speaksHttp2(Origin origin) {
        try {
            Object spoken = Members.PROTOCOL == null ? null : Members.PROTOCOL.invokeExact((Object) origin);
            return spoken != null && spoken.toString().contains("h2c");
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final MethodHandle SENT;
        static final MethodHandle GET_PATIENCE;
        static final MethodHandle SET_PATIENCE;
        static final MethodHandle GET_CONTENT;
        static final MethodHandle SET_CONTENT;
        static final MethodHandle LENGTH;

        /** What has {@link #BYTES}; null in 9.4. */
        static final Class<?> BYTES_TYPE;

        static final MethodHandle BYTES;

        /** Null in 9.4. */
        static final AttemptBodies BODIES;

        /** Null in 9.4 and in early versions of 10 and 11. */
        static final MethodHandle GET_CONNECTION;

        /** Null as the other. */
        static final MethodHandle SET_CONNECTION;

        static final MethodHandle RESOLVE;
        static final boolean RESOLVES_REQUESTS;
        static final MethodHandle REMOVE;
        static final MethodHandle NONE;
        static final MethodHandle COPY;
        static final MethodHandle ADD_FIELD;
        static final MethodHandle ADD;
        static final MethodHandle PUT;
        static final MethodHandle PUT_FIELD;
        static final MethodHandle REMOVE_FIELDS;

        /** Null in 9.4. */
        static final MethodHandle ADD_TO_RESPONSE;

        /** Null in 9.4. */
        static final MethodHandle PROTOCOL;

        static {
            AdapterContext context = Internals.context;
            try {
                MethodHandles.Lookup request = context.lookup(HttpRequest.class.getName());
                SENT = request.findVirtual(HttpRequest.class, "sent", MethodType.methodType(void.class));
                Field patience = patience();
                GET_PATIENCE = request.unreflectGetter(patience);
                SET_PATIENCE = request.unreflectSetter(patience);
                Field content = HttpRequest.class.getDeclaredField("content");
                GET_CONTENT = generic(request.unreflectGetter(content));
                SET_CONTENT = request.unreflectSetter(content).asType(MethodType.methodType(void.class, HttpRequest.class, Object.class));
                LENGTH = MethodHandles.publicLookup()
                        .findVirtual(content.getType(), "getLength", MethodType.methodType(long.class))
                        .asType(MethodType.methodType(long.class, Object.class));

                if (content.getType().getName().endsWith("ContentProvider")) {
                    BYTES_TYPE = null;
                    BYTES = null;
                    BODIES = null;
                } else {
                    MethodHandles.Lookup inMemory = context.lookup("org.eclipse.jetty.client.util.BytesRequestContent");
                    BYTES_TYPE = inMemory.lookupClass();
                    BYTES = generic(inMemory.unreflectGetter(BYTES_TYPE.getDeclaredField("bytes")));
                    BODIES = new AttemptBodies(content.getType(), BYTES_TYPE);
                }
                GET_CONNECTION = optional(request, HttpRequest.class, "getConnection", MethodType.methodType(Connection.class));
                SET_CONNECTION = optional(request, HttpRequest.class, "setConnection", MethodType.methodType(void.class, Connection.class));

                MethodHandles.Lookup client = context.lookup(HttpClient.class.getName());
                MethodHandle ofRequest = optional(client, HttpClient.class, "resolveDestination",
                        MethodType.methodType(destinationType(), Request.class));
                RESOLVES_REQUESTS = ofRequest != null;
                RESOLVE = generic(RESOLVES_REQUESTS ? ofRequest : client.findVirtual(HttpClient.class, "resolveDestination",
                        MethodType.methodType(HttpDestination.class, String.class, String.class, int.class, Object.class)));
                REMOVE = client.findVirtual(HttpClient.class, "removeDestination", MethodType.methodType(boolean.class, HttpDestination.class));

                MethodHandles.Lookup everybody = MethodHandles.publicLookup();
                Class<?> mutable = mutableFields();
                if (mutable == HttpFields.class) {
                    NONE = generic(everybody.findConstructor(HttpFields.class, MethodType.methodType(void.class)));
                    COPY = generic(everybody.findConstructor(HttpFields.class, MethodType.methodType(void.class, HttpFields.class)));
                } else {
                    NONE = generic(everybody.findStatic(HttpFields.class, "build", MethodType.methodType(mutable)));
                    COPY = generic(everybody.findStatic(HttpFields.class, "build", MethodType.methodType(mutable, HttpFields.class)));
                }
                ADD_FIELD = edit(mutable, "add", HttpField.class);
                ADD = edit(mutable, "add", String.class, String.class);
                PUT = edit(mutable, "put", String.class, String.class);
                PUT_FIELD = edit(mutable, "put", HttpField.class);
                REMOVE_FIELDS = edit(mutable, "remove", String.class);
                MethodHandle addHeader = optional(everybody, HttpResponse.class, "addHeader",
                        MethodType.methodType(HttpResponse.class, HttpField.class));
                ADD_TO_RESPONSE = addHeader == null ? null : generic(addHeader);
                PROTOCOL = protocol();
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
