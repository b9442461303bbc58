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
    private final MethodHandle sent;
    private final MethodHandle getPatience;
    private final MethodHandle setPatience;
    private final MethodHandle getContent;
    private final MethodHandle setContent;
    private final MethodHandle length;

    /** What has {@link #bytes}; null in 9.4. */
    private final Class<?> bytesType;

    private final MethodHandle bytes;

    /** Null in 9.4. */
    private final AttemptBodies bodies;

    /** Null in 9.4 and in early versions of 10 and 11. */
    private final MethodHandle getConnection;

    /** Null as the other. */
    private final MethodHandle setConnection;

    private final MethodHandle resolve;
    private final boolean resolvesRequests;
    private final MethodHandle remove;
    private final MethodHandle none;
    private final MethodHandle copy;
    private final MethodHandle addField;
    private final MethodHandle add;
    private final MethodHandle put;
    private final MethodHandle putField;
    private final MethodHandle removeFields;

    /** Null in 9.4. */
    private final MethodHandle addToResponse;

    /** Null in 9.4. */
    private final MethodHandle protocol;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        MethodHandles.Lookup request = context.lookup(HttpRequest.class.getName());
        sent = request.findVirtual(HttpRequest.class, "sent", MethodType.methodType(void.class));
        Field patience = patience();
        getPatience = request.unreflectGetter(patience);
        setPatience = request.unreflectSetter(patience);
        Field content = HttpRequest.class.getDeclaredField("content");
        getContent = generic(request.unreflectGetter(content));
        setContent = request.unreflectSetter(content).asType(MethodType.methodType(void.class, HttpRequest.class, Object.class));
        length = MethodHandles.publicLookup()
                .findVirtual(content.getType(), "getLength", MethodType.methodType(long.class))
                .asType(MethodType.methodType(long.class, Object.class));

        if (content.getType().getName().endsWith("ContentProvider")) {
            bytesType = null;
            bytes = null;
            bodies = null;
        } else {
            MethodHandles.Lookup inMemory = context.lookup("org.eclipse.jetty.client.util.BytesRequestContent");
            bytesType = inMemory.lookupClass();
            bytes = generic(inMemory.unreflectGetter(bytesType.getDeclaredField("bytes")));
            bodies = new AttemptBodies(content.getType(), bytesType);
        }
        getConnection = optional(request, HttpRequest.class, "getConnection", MethodType.methodType(Connection.class));
        setConnection = optional(request, HttpRequest.class, "setConnection", MethodType.methodType(void.class, Connection.class));

        MethodHandles.Lookup client = context.lookup(HttpClient.class.getName());
        MethodHandle ofRequest = optional(client, HttpClient.class, "resolveDestination",
                MethodType.methodType(destinationType(), Request.class));
        resolvesRequests = ofRequest != null;
        resolve = generic(resolvesRequests ? ofRequest : client.findVirtual(HttpClient.class, "resolveDestination",
                MethodType.methodType(HttpDestination.class, String.class, String.class, int.class, Object.class)));
        remove = client.findVirtual(HttpClient.class, "removeDestination", MethodType.methodType(boolean.class, HttpDestination.class));

        MethodHandles.Lookup everybody = MethodHandles.publicLookup();
        Class<?> mutable = mutableFields();
        if (mutable == HttpFields.class) {
            none = generic(everybody.findConstructor(HttpFields.class, MethodType.methodType(void.class)));
            copy = generic(everybody.findConstructor(HttpFields.class, MethodType.methodType(void.class, HttpFields.class)));
        } else {
            none = generic(everybody.findStatic(HttpFields.class, "build", MethodType.methodType(mutable)));
            copy = generic(everybody.findStatic(HttpFields.class, "build", MethodType.methodType(mutable, HttpFields.class)));
        }
        addField = edit(mutable, "add", HttpField.class);
        add = edit(mutable, "add", String.class, String.class);
        put = edit(mutable, "put", String.class, String.class);
        putField = edit(mutable, "put", HttpField.class);
        removeFields = edit(mutable, "remove", String.class);
        MethodHandle addHeader = optional(everybody, HttpResponse.class, "addHeader",
                MethodType.methodType(HttpResponse.class, HttpField.class));
        addToResponse = addHeader == null ? null : generic(addHeader);
        protocol = protocol();
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
        sent.invokeExact(request);
    }

    /**
     * An attempt has the app's body, and what is left of its patience.
     *
     * @param body null: none
     */
    void share(HttpRequest apps, Object body, HttpRequest attempt) throws Throwable {
        setPatience.invokeExact(attempt, (long) getPatience.invokeExact(apps));
        setContent.invokeExact(attempt, bodies == null || body == null ? body : bodies.ofAttempt(body));
    }

    /** From 10 on, a request that goes out has a body, be it an empty one: the library's own handlers count on it. */
    void completeBody(HttpRequest apps) {
        try {
            if (bodies != null && (Object) getContent.invokeExact((Object) apps) == null) {
                setContent.invokeExact(apps, bodies.none());
            }
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    /** What the app may ask its request for. */
    void connection(HttpRequest attempt, HttpRequest apps) {
        try {
            if (getConnection != null && setConnection != null) {
                setConnection.invokeExact(apps, (Connection) getConnection.invokeExact(attempt));
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
        if (bodies != null && body != null) {
            bodies.fail(body, failure);
        }
    }

    /** Of the app's with its request, from now on; the library keeps the time of what it sends, and a pause is none of that. */
    long patienceNanos(HttpRequest apps) {
        try {
            long end = (long) getPatience.invokeExact(apps);
            return end == -1 || end == Long.MAX_VALUE ? Long.MAX_VALUE : Math.max(0, end - System.nanoTime());
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    /** Null: none. */
    Object content(HttpRequest request) {
        try {
            return getContent.invokeExact((Object) request);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    /** Bytes; below 0: it is not known. */
    long length(Object content) {
        try {
            return (long) length.invokeExact(content);
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
            return bytes != null && bytesType.isInstance(content)
                    ? Stream.of((byte[][]) (Object) bytes.invokeExact(content)).map(ByteBuffer::wrap).toList()
                    : null;
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    HttpDestination resolve(HttpClient client, AttemptRequest request) throws Throwable {
        return (HttpDestination) (resolvesRequests
                ? (Object) resolve.invokeExact((Object) client, (Object) request)
                : (Object) resolve.invokeExact((Object) client, (Object) request.getScheme(), (Object) request.getHost(),
                        (Object) request.getPort(), (Object) request.getTag()));
    }

    void remove(HttpClient client, HttpDestination destination) throws Throwable {
        boolean ignored = (boolean) remove.invokeExact(client, destination);
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
            return none.invokeExact();
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    HttpFields copy(HttpFields fields) {
        try {
            return (HttpFields) (Object) copy.invokeExact((Object) fields);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    void add(Object fields, HttpField field) {
        try {
            addField.invokeExact(fields, field);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    void add(Object fields, String name, String value) {
        try {
            add.invokeExact(fields, name, value);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    void put(Object fields, String name, String value) {
        try {
            put.invokeExact(fields, name, value);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    /** Where the one of that name is, if there is one. */
    void put(Object fields, HttpField field) {
        try {
            putField.invokeExact(fields, field);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    void remove(Object fields, String name) {
        try {
            removeFields.invokeExact(fields, name);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    void addTo(HttpResponse response, HttpField field) {
        if (addToResponse == null) {
            add(response.getHeaders(), field);
            return;
        }
        try {
            Object ignored = addToResponse.invokeExact((Object) response, (Object) field);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    /** Whether a connection is for HTTP/2 from its first byte on. */
    boolean speaksHttp2(Origin origin) {
        try {
            Object spoken = protocol == null ? null : protocol.invokeExact((Object) origin);
            return spoken != null && spoken.toString().contains("h2c");
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }
}
