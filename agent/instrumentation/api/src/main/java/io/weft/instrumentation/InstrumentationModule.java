package io.weft.instrumentation;

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
 */
public record InstrumentationModule(String name, String versions, String adapter, List<String> opens, List<Hook> hooks) {
    public InstrumentationModule {
        opens = List.copyOf(opens);
        hooks = List.copyOf(hooks);
    }
}
