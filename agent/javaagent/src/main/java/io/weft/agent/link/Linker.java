package io.weft.agent.link;

import io.weft.agent.log.AgentLog;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Hook;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import org.objectweb.asm.Type;

/**
 * Makes an app loader's adapter with the first call of a woven method, and binds hooks to its handlers.
 *
 * <p>Called on the app's threads, under whatever locks they hold, so nobody ever waits here: threads that come at the same
 * time each make an adapter, and the first one made is kept by all.
 */
public final class Linker {
    private final ClassLoader agent;
    private final ModuleOpener opener;
    private final MeshAccess mesh;
    private final AgentLog log;
    private final Anchor anchor = new Anchor();

    /** Set while this thread makes an adapter: what it calls meanwhile is not for the mesh. */
    private final ThreadLocal<Boolean> linking = new ThreadLocal<>();

    public Linker(ClassLoader agent, ModuleOpener opener, MeshAccess mesh, AgentLog log) {
        this.agent = agent;
        this.opener = opener;
        this.mesh = mesh;
        this.log = log;
    }

    Bound bind(LibrarySlot slot) {
        Attachment attachment = slot.attachment();
        if (attachment.refused() != null || linking.get() != null) {
            return Bound.OFF;
        }
        linking.set(true);
        try {
            ClassLoader app = attachment.loader().get();
            Link link = attachment.link();
            if (link == null) {
                link = link(attachment, app, slot.className());
            }
            Bound bound = link.keep(slot, bound(link.adapter(), slot, app));
            slot.bind(bound);
            return bound;
        } catch (InvocationTargetException failed) {
            refuse(attachment, failed.getCause());
        } catch (ReflectiveOperationException | RuntimeException | LinkageError failed) {
            refuse(attachment, failed);
        } finally {
            linking.remove();
        }
        return Bound.OFF;
    }

    private Link link(Attachment attachment, ClassLoader app, String wovenClass) throws ReflectiveOperationException {
        Class<?> woven = Class.forName(wovenClass, false, app);
        String adapter = attachment.adapter();
        AdapterClassLoader loader = new AdapterClassLoader(attachment.module(), app, agent);
        opener.open(attachment.module(), woven.getModule(), loader.getUnnamedModule());
        LibraryContext context = new LibraryContext(attachment, app, opener, mesh, log);
        Constructor<?> constructor = loader.loadClass(adapter).getDeclaredConstructor(AdapterContext.class);
        constructor.setAccessible(true);
        Link kept = attachment.linkIfFirst(new Link((Adapter) constructor.newInstance(context)));
        // Every thread that comes at the same time anchors the same link; until then its own frame holds it.
        anchor.get(woven).put(attachment, kept);
        return kept;
    }

    private static Bound bound(Adapter adapter, LibrarySlot slot, ClassLoader app) throws ClassNotFoundException {
        Hook hook = slot.method().hook();
        Handler handler = adapter.handler(hook.id());
        boolean fits = switch (hook.kind()) {
            case AROUND -> handler instanceof Handler.Around;
            case ARGUMENT -> handler instanceof Handler.Argument;
            case RESULT -> handler instanceof Handler.Result;
        };
        if (!fits) {
            throw new IllegalStateException("hook " + hook.id() + " is of kind " + hook.kind() + ", the adapter's handler is "
                    + handler);
        }
        String descriptor = slot.method().descriptor();
        Type type = hook.kind() == Hook.Kind.ARGUMENT
                ? Type.getArgumentTypes(descriptor)[hook.argument()]
                : Type.getReturnType(descriptor);
        if (type == Type.VOID_TYPE) {
            return new Bound(handler, null, true);
        }
        // The JDK turns a descriptor into classes, without initializing them.
        Class<?> used = MethodType.fromMethodDescriptorString("()" + type.getDescriptor(),
                app == null ? ClassLoader.getPlatformClassLoader() : app).returnType();
        return used.isPrimitive()
                ? new Bound(handler, MethodType.methodType(used).wrap().returnType(), false)
                : new Bound(handler, used, true);
    }

    private void refuse(Attachment attachment, Throwable reason) {
        attachment.refuse(reason.toString());
        log.faultOnce("link " + attachment.module().name() + " " + attachment.loaderName(),
                attachment.module().name() + " in " + attachment.loaderName() + " is left without the mesh", reason);
    }
}
