package io.weft.agent.link;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Relocation;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Whether the app's version of a library has what a module uses: the hooked methods, and every class, field and method that
 * the classes of one of its adapters refer to. Reads class files through the app's loader and loads none.
 */
public final class LibraryCheck {
    private final ClassLoader agent;

    public LibraryCheck(ClassLoader agent) {
        this.agent = agent;
    }

    /**
     * @param adapter that fits; the first when none does
     * @param missing what the library lacks, for people; empty when all is there
     * @param absent the library is not there at all, but another one that shares a class with it
     */
    record Found(String adapter, List<String> missing, boolean absent) {
        Found(String adapter, List<String> missing) {
            this(adapter, missing, false);
        }
    }

    /** @param internalName a class of the library whose class file is at hand */
    Found check(InstrumentationModule module, ClassFiles app, String internalName, byte[] classFile) {
        Map<String, ClassMembers> classes = new HashMap<>();
        classes.put(internalName, ClassMembers.of(classFile));
        if (module.marker() != null && members(module.marker().replace('.', '/'), app, classes) == null) {
            return new Found(module.adapters().get(0), List.of(module.marker()), true);
        }
        Found first = null;
        for (String adapter : module.adapters()) {
            List<String> missing = missingMethods(module, adapter, app, classes);
            Found found = new Found(adapter, missing.isEmpty() ? missingMembers(module.relocation(), adapter, app, classes) : missing);
            if (found.missing.isEmpty()) {
                return found;
            }
            first = first == null ? found : first;
        }
        return first;
    }

    private static List<String> missingMethods(InstrumentationModule module, String adapter, ClassFiles app, Map<String, ClassMembers> classes) {
        Set<String> missing = new TreeSet<>();
        for (Hook hook : module.hooks()) {
            if (hook.isNeededBy(adapter)) {
                ClassMembers members = members(hook.className().replace('.', '/'), app, classes);
                if (members == null || !members.canWeave(hook)) {
                    missing.add(describe(hook));
                }
            }
        }
        return new ArrayList<>(missing);
    }

    private List<String> missingMembers(Relocation relocation, String adapter, ClassFiles app, Map<String, ClassMembers> classes) {
        Set<String> missing = new TreeSet<>();
        for (AdapterReferences.Reference reference : new AdapterReferences(agent, relocation).of(adapter)) {
            if (!isPresent(reference, app, classes)) {
                missing.add(reference.toString());
            }
        }
        return new ArrayList<>(missing);
    }

    static String describe(Hook hook) {
        return hook.className() + "." + hook.method() + hook.descriptor();
    }

    private boolean isPresent(AdapterReferences.Reference reference, ClassFiles app, Map<String, ClassMembers> classes) {
        ClassMembers owner = members(reference.owner(), app, classes);
        return owner != null && (reference.member() == null || inherits(owner, reference.member(), app, classes));
    }

    private boolean inherits(ClassMembers type, String member, ClassFiles app, Map<String, ClassMembers> classes) {
        if (type.declares(member)) {
            return true;
        }
        for (String parent : type.parents()) {
            ClassMembers members = members(parent, app, classes);
            if (members != null && inherits(members, member, app, classes)) {
                return true;
            }
        }
        return false;
    }

    /** @return null when there is no such class */
    private static ClassMembers members(String internalName, ClassFiles app, Map<String, ClassMembers> classes) {
        if (classes.containsKey(internalName)) {
            return classes.get(internalName);
        }
        ClassMembers members = null;
        try (InputStream in = internalName.startsWith("java/")
                ? ClassLoader.getPlatformClassLoader().getResourceAsStream(internalName + ".class")
                : app.open(internalName)) {
            if (in != null) {
                members = ClassMembers.of(in.readAllBytes());
            }
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot read the class file of " + internalName.replace('/', '.'), unreadable);
        }
        classes.put(internalName, members);
        return members;
    }
}
