package io.weft.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.agent.log.AgentLog;
import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import java.io.ByteArrayOutputStream;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoadedClassesTest {
    private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
    private final List<Class<?>> woven = new ArrayList<>();

    private static final class Broken {}

    private static final class Sound {}

    private void weave(Class<?>... loaded) {
        Instrumentation instrumentation = (Instrumentation) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Instrumentation.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("getAllLoadedClasses")) {
                        return loaded;
                    }
                    Class<?> one = ((Class<?>[]) arguments[0])[0];
                    if (one == Broken.class) {
                        throw new InternalError("class redefinition failed: invalid class");
                    }
                    woven.add(one);
                    return null;
                });
        HookIndex index = new HookIndex(List.of(new InstrumentationModule("library", "1", "io.weft.Adapter", List.of(),
                List.of(Hook.around("a", Broken.class.getName(), "m", "()V"), Hook.around("b", Sound.class.getName(), "m", "()V")))));
        new LoadedClasses(instrumentation, index, AgentLog.to(AgentLog.Level.WARN, logged)).weave();
    }

    /** The JVM's answer for one whose initializer has failed, or whose loader is closed. */
    @Test
    void aClassThatCannotBeWovenLeavesTheOthersTheirTurn() {
        weave(Broken.class, Object.class, Sound.class);

        assertThat(woven).containsExactly(Sound.class);
        assertThat(logged.toString(StandardCharsets.UTF_8)).contains("cannot instrument " + Broken.class.getName());
    }

    @Test
    void aJvmThatIsEndingHasNoClasses() {
        weave((Class<?>[]) null);

        assertThat(woven).isEmpty();
        assertThat(logged.toString(StandardCharsets.UTF_8)).isEmpty();
    }
}
