package io.weft.agent.link;

import io.weft.agent.log.AgentLog;
import io.weft.instrumentation.InstrumentationModule;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.security.ProtectionDomain;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which library modules are in force in which app loaders. Decided with the first woven class of each; nobody waits for
 * anybody, the first decision stands.
 */
public final class Attachments {

    /** Told of each module in a further loader. Under class loading: must only hand on. */
    public interface Listener {
        void attached(String module);

        /** The library stays as it is without the mesh. */
        void left();
    }

    /**
     * @param jar its file's name; empty: the JDK's, or in no jar
     * @param version empty: nobody can tell
     * @param inTestedRange false: the version is known to be another
     * @param supported versions, for people
     * @param refused null: in force
     */
    public record Status(String module, String jar, String version, boolean inTestedRange, String supported, String loader, String refused) {}

    private final Map<LoaderRef, Map<String, Attachment>> byLoader = new ConcurrentHashMap<>();
    private final ReferenceQueue<ClassLoader> collected = new ReferenceQueue<>();
    private final Slots slots;
    private final LibraryCheck check;
    private final Listener listener;
    private final AgentLog log;

    public Attachments(Slots slots, LibraryCheck check, Listener listener, AgentLog log) {
        this.slots = slots;
        this.check = check;
        this.listener = listener;
        this.log = log;
    }

    /** @param internalName of the class that is being loaded, for which {@code classFile} stands */
    Attachment attach(InstrumentationModule module, ClassLoader loader, String internalName, byte[] classFile,
            ProtectionDomain domain) {
        releaseCollected();
        LoaderRef ref = new LoaderRef(loader, collected);
        Map<String, Attachment> ofLoader = byLoader.get(ref);
        if (ofLoader == null) {
            ofLoader = new ConcurrentHashMap<>();
            Map<String, Attachment> earlier = byLoader.putIfAbsent(ref, ofLoader);
            if (earlier != null) {
                ofLoader = earlier;
            }
        }
        Attachment known = ofLoader.get(module.name());
        if (known != null) {
            return known;
        }
        ClassFiles files = loader == null ? null : ClassFiles.of(loader, internalName, domain);
        LibraryCheck.Found found = LoaderRef.isJdk(loader)
                ? new LibraryCheck.Found(module.adapters().get(0), List.of())
                : check.check(module, files, internalName, classFile);
        String refused = found.missing().isEmpty() ? null : "it has no " + String.join(", no ", found.missing());
        String location = LibraryJar.location(module, files, domain);
        Attachment made = new Attachment(module, location, found.adapter(), ref, nameOf(loader), refused);
        Attachment earlier = ofLoader.putIfAbsent(module.name(), made);
        if (earlier != null) {
            return earlier;
        }
        if (found.absent()) {
            made.hide();
        } else if (refused == null) {
            if (log.isDebug()) {
                log.debug("instruments " + module.name() + in(location) + " in " + made.loaderName());
            }
            listener.attached(module.name());
        } else {
            log.warn(module.name() + in(location) + " is left without the mesh; supported versions: " + module.versions() + "; " + refused);
            listener.left();
        }
        return made;
    }

    /** For a JDK class, whose members show only in the class file at hand. */
    void refuse(Attachment attachment, String missing) {
        attachment.refuse("it has no " + missing);
        log.warnOnce("refuse " + attachment.module().name(), attachment.module().name() + " of this JDK ("
                + Runtime.version() + ") is left without the mesh: " + attachment.refused());
    }

    /** Of jars whose names do not tell the version a file is read: not for the path of a request. */
    public List<Status> status() {
        List<Status> all = new ArrayList<>();
        for (Map<String, Attachment> ofLoader : byLoader.values()) {
            for (Attachment attachment : ofLoader.values()) {
                if (attachment.isHidden()) {
                    continue;
                }
                InstrumentationModule module = attachment.module();
                String version = LibraryVersion.of(module, attachment.location(), attachment.loader().get());
                all.add(new Status(module.name(), LibraryJar.name(attachment.location()), version, version.isEmpty() || module.releases().areTestedIn(version),
                        module.versions(), attachment.loaderName(), attachment.refused()));
            }
        }
        return all;
    }

    private void releaseCollected() {
        for (Reference<?> gone = collected.poll(); gone != null; gone = collected.poll()) {
            Map<String, Attachment> ofLoader = byLoader.remove(gone);
            if (ofLoader != null) {
                for (Attachment attachment : ofLoader.values()) {
                    for (int number : attachment.numbers()) {
                        slots.release(number);
                    }
                }
            }
        }
    }

    private static String nameOf(ClassLoader loader) {
        if (loader == null) {
            return "boot";
        }
        String name = loader.getName();
        return name != null ? name : loader.getClass().getName() + "@" + Integer.toHexString(System.identityHashCode(loader));
    }

    private static String in(String location) {
        return location.isEmpty() ? "" : " (" + location + ")";
    }
}
