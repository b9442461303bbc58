package io.weft.instrumentation;

import java.util.ArrayList;
import java.util.List;

/**
 * What the agent must know of a library before any class of it is loaded. One per library folder; holds no reference to the
 * library's types, so that loading it costs nothing.
 *
 * @param name the folder's name, as in {@code tomcat}
 * @param versions for people, as in {@code 9, 10.1, 11}
 * @param adapter class name of the {@link Adapter}; it and every class of its package are loaded once per app loader, by a
 *     loader that sees the app's classes and the agent's API
 * @param opens packages of named modules that the adapter looks into, as in {@code java.net.http/jdk.internal.net.http}
 * @param hooks in any order
 * @param relocation which copy of the library it is for
 */
public record InstrumentationModule(
        String name, String versions, String adapter, List<String> opens, List<Hook> hooks, Relocation relocation) {
    public InstrumentationModule {
        opens = List.copyOf(opens);
        hooks = List.copyOf(hooks);
    }

    /** Of a library that is where its authors have put it. */
    public InstrumentationModule(String name, String versions, String adapter, List<String> opens, List<Hook> hooks) {
        this(name, versions, adapter, opens, hooks, Relocation.NONE);
    }

    /**
     * The same, for copies of the library under other names, too: the adapter's classes are made to refer to them.
     *
     * @param root the first part of the names of the library's packages, as in {@code io.netty}
     */
    public InstrumentationModule wherever(String root) {
        return new InstrumentationModule(name, versions, adapter, opens, hooks, new Relocation(root, ""));
    }

    /** The same for one copy; what it weaves of other libraries is left out. */
    public InstrumentationModule at(String prefix) {
        Relocation there = new Relocation(relocation.root(), prefix);
        List<Hook> relocated = new ArrayList<>(hooks.size());
        for (Hook hook : hooks) {
            if (hook.className().startsWith(relocation.root() + '.')) {
                relocated.add(hook.relocated(there));
            }
        }
        return new InstrumentationModule(
                name + " at " + prefix + relocation.root(), versions, adapter, List.of(), relocated, there);
    }
}
