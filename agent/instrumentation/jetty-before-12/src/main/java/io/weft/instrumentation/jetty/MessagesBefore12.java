package io.weft.instrumentation.jetty;

import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.util.List;
import java.util.function.Supplier;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;

/**
 * Heads of requests and their headers. {@code HttpFields} and {@code HttpURI} are mutable classes in 9.4 and immutable interfaces from 10 on,
 * so that no code can be compiled against both.
 */
abstract class MessagesBefore12 {
    private static final String HTTP = "org.eclipse.jetty.http.";

    private final MethodHandle fieldsOfResponse;
    private final MethodHandle values;
    private final MethodHandle add;
    private final MethodHandle set;
    private final MethodHandle remove;
    final MethodHandle fieldsOfHead;
    final MethodHandle uriOfHead;
    private final MethodHandle scheme;

    private MessagesBefore12(AdapterContext context, String mutableFields) throws ReflectiveOperationException {
        fieldsOfResponse = method(context, Response.class.getName(), "getHttpFields");
        fieldsOfHead = method(context, MetaData.class.getName(), "getFields");
        uriOfHead = method(context, MetaData.Request.class.getName(), "getURI");
        values = method(context, HTTP + "HttpFields", "getValuesList", String.class);
        add = method(context, mutableFields, "add", String.class, String.class);
        set = method(context, mutableFields, "put", String.class, String.class);
        remove = method(context, mutableFields, "remove", String.class);
        scheme = method(context, HTTP + "HttpURI", "getScheme");
    }

    static MessagesBefore12 of(AdapterContext context) throws ReflectiveOperationException {
        return context.lookup(HTTP + "HttpFields").lookupClass().isInterface() ? new From10(context) : new Of9(context);
    }

    /** Takes and gives objects. */
    static MethodHandle method(AdapterContext context, String className, String name, Class<?>... parameters)
            throws ReflectiveOperationException {
        MethodHandles.Lookup lookup = context.lookup(className);
        Method method = lookup.lookupClass().getMethod(name, parameters);
        MethodHandle handle = lookup.unreflect(method);
        return handle.asType(handle.type().generic());
    }

    HeadersBefore12 headers(Response response) throws Throwable {
        return new HeadersBefore12(this, (Object) fieldsOfResponse.invokeExact((Object) response));
    }

    @SuppressWarnings("unchecked")
    List<String> values(Object fields, String name) {
        try {
            return (List<String>) (Object) values.invokeExact(fields, (Object) name);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void add(Object fields, String name, String value) {
        try {
            Object ignored = (Object) add.invokeExact(fields, (Object) name, (Object) value);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void set(Object fields, String name, String value) {
        try {
            Object ignored = (Object) set.invokeExact(fields, (Object) name, (Object) value);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void remove(Object fields, String name) {
        try {
            Object ignored = (Object) remove.invokeExact(fields, (Object) name);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private static IllegalStateException unexpected(Throwable e) {
        return new IllegalStateException("Jetty's headers cannot be read or changed", e);
    }

    MetaData.Request asOverPlaintext(MetaData.Request head) throws Throwable {
        Object uri = (Object) uriOfHead.invokeExact((Object) head);
        return "https".equals((Object) scheme.invokeExact(uri)) ? withScheme(head, uri, "http") : head;
    }

    abstract MetaData.Request withScheme(MetaData.Request head, Object uri, String scheme) throws Throwable;

    /** What the app is to see instead of what came; Jetty has not dispatched it yet. */
    abstract void change(Request request, RequestChanges changes) throws Throwable;

    void change(Object fields, RequestChanges changes) {
        new HeadersBefore12(this, fields).change(changes);
        if (changes.authority() != null) {
            set(fields, "Host", changes.authority());
        }
    }

    private static final class Of9 extends MessagesBefore12 {
        private final MethodHandle setScheme;
        private final MethodHandle setPathQuery;
        private final MethodHandle setAuthority;

        Of9(AdapterContext context) throws ReflectiveOperationException {
            super(context, HTTP + "HttpFields");
            setScheme = method(context, HTTP + "HttpURI", "setScheme", String.class);
            setPathQuery = method(context, HTTP + "HttpURI", "setPathQuery", String.class);
            setAuthority = method(context, HTTP + "HttpURI", "setAuthority", String.class, int.class);
        }

        @Override
        MetaData.Request withScheme(MetaData.Request head, Object uri, String scheme) throws Throwable {
            Object ignored = (Object) setScheme.invokeExact(uri, (Object) scheme);
            return head;
        }

        @Override
        void change(Request request, RequestChanges changes) throws Throwable {
            MetaData.Request head = request.getMetaData();
            change((Object) fieldsOfHead.invokeExact((Object) head), changes);
            Object uri = (Object) uriOfHead.invokeExact((Object) head);
            if (changes.path() != null) {
                Object ignored = (Object) setPathQuery.invokeExact(uri, (Object) changes.path());
            }
            if (changes.authority() != null) {
                setAuthority(uri, changes.authority());
            }
            request.setMetaData(head);
        }

        private void setAuthority(Object uri, String authority) throws Throwable {
            int colon = authority.lastIndexOf(':');
            boolean port = colon > authority.lastIndexOf(']') && colon + 1 < authority.length();
            Object ignored = (Object) setAuthority.invokeExact(
                    uri,
                    (Object) (port ? authority.substring(0, colon) : authority),
                    (Object) (port ? Integer.parseInt(authority, colon + 1, authority.length(), 10) : 0));
        }
    }

    private static final class From10 extends MessagesBefore12 {
        private final MethodHandle buildFields;
        private final MethodHandle buildUri;
        private final MethodHandle setScheme;
        private final MethodHandle setPathQuery;
        private final MethodHandle setAuthority;
        private final MethodHandle immutable;
        private final MethodHandle makeHead;

        From10(AdapterContext context) throws ReflectiveOperationException {
            super(context, HTTP + "HttpFields$Mutable");
            MethodHandles.Lookup head = context.lookup(MetaData.Request.class.getName());
            Class<?> fields = context.lookup(HTTP + "HttpFields").lookupClass();
            Class<?> uri = context.lookup(HTTP + "HttpURI").lookupClass();
            buildFields = method(context, HTTP + "HttpFields", "build", fields);
            buildUri = method(context, HTTP + "HttpURI", "build", uri);
            String mutable = HTTP + "HttpURI$Mutable";
            setScheme = method(context, mutable, "scheme", String.class);
            setPathQuery = method(context, mutable, "pathQuery", String.class);
            setAuthority = method(context, mutable, "authority", String.class);
            immutable = method(context, mutable, "asImmutable");
            Class<?> version = context.lookup(HTTP + "HttpVersion").lookupClass();
            // (head, uri, fields) → another head
            MethodHandle make = head.findConstructor(head.lookupClass(), MethodType.methodType(
                    void.class, String.class, uri, version, fields, long.class, Supplier.class));
            makeHead = make.asType(MethodType.methodType(
                    Object.class, String.class, Object.class, Object.class, Object.class, long.class, Object.class));
        }

        private MetaData.Request make(MetaData.Request of, Object uri, Object fields) throws Throwable {
            Object known = (Object) immutable.invokeExact(uri);
            return (MetaData.Request) (Object) makeHead.invokeExact(
                    of.getMethod(), known, (Object) of.getHttpVersion(), fields, of.getContentLength(), (Object) of.getTrailerSupplier());
        }

        @Override
        MetaData.Request withScheme(MetaData.Request head, Object uri, String scheme) throws Throwable {
            Object changed = (Object) buildUri.invokeExact(uri);
            Object ignored = (Object) setScheme.invokeExact(changed, (Object) scheme);
            return make(head, changed, (Object) fieldsOfHead.invokeExact((Object) head));
        }

        @Override
        void change(Request request, RequestChanges changes) throws Throwable {
            MetaData.Request head = request.getMetaData();
            Object fields = (Object) buildFields.invokeExact((Object) fieldsOfHead.invokeExact((Object) head));
            change(fields, changes);
            Object uri = (Object) buildUri.invokeExact((Object) uriOfHead.invokeExact((Object) head));
            if (changes.path() != null) {
                Object ignored = (Object) setPathQuery.invokeExact(uri, (Object) changes.path());
            }
            if (changes.authority() != null) {
                Object ignored = (Object) setAuthority.invokeExact(uri, (Object) changes.authority());
            }
            request.setMetaData(make(head, uri, fields));
        }
    }
}
