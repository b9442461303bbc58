package io.weft.driver;

import static net.bytebuddy.matcher.ElementMatchers.named;
import static net.bytebuddy.matcher.ElementMatchers.none;

import java.lang.instrument.Instrumentation;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.agent.builder.AgentBuilder.RedefinitionStrategy;
import net.bytebuddy.asm.Advice;

/** An agent as others are made: Byte Buddy's advice in the methods that its argument names, as {@code CLASS#METHOD,CLASS#METHOD}, says that they are called. */
public final class WatchingAgent {
    private WatchingAgent() {}

    public static void premain(String methods, Instrumentation instrumentation) {
        AgentBuilder builder = new AgentBuilder.Default()
                .disableClassFormatChanges()
                .with(RedefinitionStrategy.RETRANSFORMATION)
                .ignore(none());
        for (String method : methods.split(",")) {
            String[] names = method.split("#");
            builder = builder.type(named(names[0])).transform((type, description, loader, module, domain) ->
                    type.visit(Advice.to(Watch.class).on(named(names[1]))));
        }
        builder.installOn(instrumentation);
    }

    /** Its code becomes that of the methods: it may use nothing but what a class of the JDK sees. */
    static final class Watch {
        private Watch() {}

        @Advice.OnMethodEnter
        static void entered(@Advice.Origin("#t.#m") String method) {
            System.err.println("watched: ".concat(method));
        }
    }
}
