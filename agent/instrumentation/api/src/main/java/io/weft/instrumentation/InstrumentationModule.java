package io.weft.instrumentation;

import java.util.ArrayList;
import java.util.List;

/**
 * What the agent must know of a library before any class of it is loaded. One per library folder; holds no reference to the
 * library's types, so that loading it costs nothing.
 *
 * @param name the folder's name, as in {@code tomcat}
 * @param versions for people, as in {@code 9, 10.1, 11}
 * @param adapters class names of {@link Adapter}s of one package, each for other versions of the library. The first of which the app's version
 *     has all that it refers to is loaded, with the classes of its package that it needs, once per app loader, by a loader that sees the
 *     app's classes and the agent's API
 * @param opens packages of named modules that the adapter looks into, as in {@code java.net.http/jdk.internal.net.http}
 * @param hooks in any order
 * @param relocation which copy of the library it is for
 * @param marker class name without which the library is not there, since another one has hooked classes, too; null: no other has
 * @param releases of the library where its authors have put it: nobody can tell the version of a copy
 */
public record InstrumentationModule(
        String name,
        String versions,
        List<String> adapters,
        List<String> opens,
        List<Hook> hooks,
        Relocation relocation,
        String marker,
        Releases releases) {
    public InstrumentationModule {
        adapters = List.copyOf(adapters);
        opens = List.copyOf(opens);
        hooks = List.copyOf(hooks);
    }

    /** Of a library that is where its authors have put it. */
    public InstrumentationModule(String name, String versions, String adapter, List<String> opens, List<Hook> hooks) {
        this(name, versions, List.of(adapter), opens, hooks);
    }

    /** The same, with several adapters. */
    public InstrumentationModule(String name, String versions, List<String> adapters, List<String> opens, List<Hook> hooks) {
        this(name, versions, adapters, opens, hooks, Relocation.NONE, null, Releases.UNKNOWN);
    }

    /** The same, of which another library has some of the classes. */
    public InstrumentationModule markedBy(String className) {
        return new InstrumentationModule(name, versions, adapters, opens, hooks, relocation, className, releases);
    }

    /** The same, with what its versions are compared with. */
    public InstrumentationModule released(Releases as) {
        return new InstrumentationModule(name, versions, adapters, opens, hooks, relocation, marker, as);
    }

    /**
     * The same, for copies of the library under other names, too: the adapter's classes are made to refer to them.
     *
     * @param root the first part of the names of the library's packages, as in {@code io.netty}
     */
    public InstrumentationModule wherever(String root) {
        return new InstrumentationModule(name, versions, adapters, opens, hooks, new Relocation(root, ""), marker, releases);
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
                name + " at " + prefix + relocation.root(), versions, adapters, List.of(), relocated, there, marker, Releases.UNKNOWN);
    }

    /**
     * For a hook that one of several adapters has no use for.
     *
     * @param hook the {@link Hook#id}
     */
    public Handler idle(String hook) {
        for (Hook one : hooks) {
            if (one.id().equals(hook)) {
                return switch (one.kind()) {
                    case AROUND -> (Handler.Around) (self, a0, a1, a2, a3) -> Handler.PROCEED;
                    case ARGUMENT -> (Handler.Argument) (self, argument, a0, a1, a2) -> argument;
                    case RESULT -> (Handler.Result) (self, result, a0, a1, a2) -> result;
                };
            }
        }
        throw new IllegalArgumentException(hook);
    }
}
