package io.weft.agent.link;

import io.weft.agent.weave.WovenMethod;
import java.lang.ref.WeakReference;

/**
 * One woven method of one app loader. The handler is held weakly, for it leads to the app loader, which may go; the {@link Link}
 * that hangs on a class of that loader holds it.
 */
final class LibrarySlot implements Slot {
    private static final WeakReference<Bound> OFF = new WeakReference<>(Bound.OFF);

    private final Attachment attachment;
    private final String className;
    private final WovenMethod method;
    private final Linker linker;

    /** Null before the first call. */
    private volatile WeakReference<Bound> bound;

    LibrarySlot(Attachment attachment, String className, WovenMethod method, Linker linker) {
        this.attachment = attachment;
        this.className = className;
        this.method = method;
        this.linker = linker;
    }

    @Override
    public Bound bound() {
        WeakReference<Bound> known = bound;
        if (known != null) {
            Bound handler = known.get();
            if (handler != null) {
                return handler;
            }
        }
        return linker.bind(this);
    }

    @Override
    public boolean isLasting() {
        return attachment.loader().isLasting();
    }

    void bind(Bound to) {
        bound = new WeakReference<>(to);
    }

    @Override
    public void turnOff() {
        bound = OFF;
    }

    Attachment attachment() {
        return attachment;
    }

    /** With dots. */
    String className() {
        return className;
    }

    WovenMethod method() {
        return method;
    }

    @Override
    public String name() {
        return attachment.module().name() + "/" + method.hook().id();
    }
}
