package io.weft.agent.link;

import io.weft.agent.weave.WovenMethod;
import io.weft.instrumentation.InstrumentationModule;
import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/** One library module in one app loader, or why it is not there. Leads to the app loader only weakly. */
final class Attachment {

    /** A woven method, whichever overload and however often it is retransformed. */
    private record Site(String className, WovenMethod method) {}

    private final InstrumentationModule module;
    private final String location;
    private final String adapter;
    private final LoaderRef loader;
    private final String loaderName;
    private final Map<Site, Integer> numbers = new ConcurrentHashMap<>();
    /** The ids of hooks. */
    private final Set<String> awake = ConcurrentHashMap.newKeySet();
    private final AtomicReference<WeakReference<Link>> link = new AtomicReference<>();

    /** Null: in force. */
    private volatile String refused;
    private volatile boolean hidden;

    Attachment(InstrumentationModule module, String location, String adapter, LoaderRef loader, String loaderName, String refused) {
        this.module = module;
        this.location = location;
        this.adapter = adapter;
        this.loader = loader;
        this.loaderName = loaderName;
        this.refused = refused;
    }

    InstrumentationModule module() {
        return module;
    }

    /** As {@link LibraryJar#location} has it. */
    String location() {
        return location;
    }

    /** Class name. */
    String adapter() {
        return adapter;
    }

    LoaderRef loader() {
        return loader;
    }

    String loaderName() {
        return loaderName;
    }

    String refused() {
        return refused;
    }

    void refuse(String reason) {
        refused = reason;
    }

    /** There is nothing that anybody would want to know. */
    void hide() {
        hidden = true;
    }

    boolean isHidden() {
        return hidden;
    }

    /** @param className with dots */
    int number(String className, WovenMethod method, Slots slots, Linker linker) {
        Site site = new Site(className, method);
        Integer known = numbers.get(site);
        if (known != null) {
            return known;
        }
        int number = slots.add(new LibrarySlot(this, className, method, linker));
        if (method.hook().asleep() && loader.isLasting()) {
            BridgeDispatcher.letSleep(number);
        }
        Integer earlier = numbers.putIfAbsent(site, number);
        if (earlier != null) {
            BridgeDispatcher.awaken(number);
            slots.release(number);
            return earlier;
        }
        if (awake.contains(method.hook().id())) {
            BridgeDispatcher.awaken(number);
        }
        return number;
    }

    /** Whatever methods the hook has been woven into, and will be. */
    void wake(String hook) {
        // Before the numbers are gone through: who comes later finds it awake.
        awake.add(hook);
        numbers.forEach((site, number) -> {
            if (site.method.hook().id().equals(hook)) {
                BridgeDispatcher.awaken(number);
            }
        });
    }

    Iterable<Integer> numbers() {
        return numbers.values();
    }

    Link link() {
        WeakReference<Link> known = link.get();
        return known == null ? null : known.get();
    }

    /** @return the one that is in force: the first that is still there */
    Link linkIfFirst(Link candidate) {
        WeakReference<Link> reference = new WeakReference<>(candidate);
        while (true) {
            WeakReference<Link> known = link.get();
            Link first = known == null ? null : known.get();
            if (first != null) {
                return first;
            }
            if (link.compareAndSet(known, reference)) {
                return candidate;
            }
        }
    }
}
