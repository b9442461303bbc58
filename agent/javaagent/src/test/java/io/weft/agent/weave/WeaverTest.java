package io.weft.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.agent.link.InstalledBridge;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Hook;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.objectweb.asm.Opcodes;

/** Every shape in classes of every version and type, verified by the JVM that loads them. */
class WeaverTest {
    private final InstalledBridge.Scene scene = new InstalledBridge.Scene();

    static Stream<Integer> versions() {
        // what this JVM loads; the suite runs on each JDK
        return IntStream.rangeClosed(Opcodes.V1_5, 44 + Runtime.version().feature()).boxed();
    }

    static Stream<Arguments> versionsAndTypes() {
        return versions().flatMap(version -> Arrays.stream(Echo.values()).map(type -> Arguments.of(version, type)));
    }

    @ParameterizedTest
    @MethodSource("versionsAndTypes")
    void aroundSeesTheArgumentsAndMayProceed(int version, Echo type) throws Exception {
        List<Object> seen = new ArrayList<>();
        Object echo = woven(version, type, hooks(Hook.Kind.AROUND, -1), (Handler.Around) (self, a0, a1, a2, a3) -> {
            seen.addAll(Arrays.asList(self, a0, a1, a2, a3));
            return Handler.PROCEED;
        });

        assertThat(call(echo, "instance", type)).isEqualTo(type.value);
        assertThat(seen).containsExactly(echo, 3, type.value, 7L, type.value);

        seen.clear();
        assertThat(call(echo, "still", type)).isEqualTo(type.value);
        assertThat(seen).containsExactly(null, 3, type.value, 7L, type.value);
    }

    @ParameterizedTest
    @MethodSource("versionsAndTypes")
    void aroundMayReturnInTheMethodsPlace(int version, Echo type) throws Exception {
        Object echo = woven(version, type, hooks(Hook.Kind.AROUND, -1), (Handler.Around) (self, a0, a1, a2, a3) -> type.other);

        assertThat(call(echo, "instance", type)).isEqualTo(type.other);
        assertThat(call(echo, "still", type)).isEqualTo(type.other);
    }

    @ParameterizedTest
    @MethodSource("versionsAndTypes")
    void argumentIsReplaced(int version, Echo type) throws Exception {
        List<Object> seen = new ArrayList<>();
        Object echo = woven(version, type, hooks(Hook.Kind.ARGUMENT, 1), (Handler.Argument) (self, argument, a0, a1, a2) -> {
            seen.addAll(Arrays.asList(self, argument, a0, a1, a2));
            return type.other;
        });

        assertThat(call(echo, "instance", type)).isEqualTo(type.other);
        assertThat(seen).containsExactly(echo, type.value, 3, type.value, 7L);
        assertThat(call(echo, "still", type)).isEqualTo(type.other);
    }

    @ParameterizedTest
    @MethodSource("versionsAndTypes")
    void resultIsReplaced(int version, Echo type) throws Exception {
        List<Object> seen = new ArrayList<>();
        Object echo = woven(version, type, hooks(Hook.Kind.RESULT, -1), (Handler.Result) (self, result, a0, a1, a2) -> {
            seen.addAll(Arrays.asList(self, result, a0, a1, a2));
            return type.other;
        });

        assertThat(call(echo, "instance", type)).isEqualTo(type.other);
        // the loop has counted the first argument down
        assertThat(seen).containsExactly(echo, type.value, 0, type.value, 7L);
        assertThat(call(echo, "still", type)).isEqualTo(type.other);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void constructorIsSeenAtItsEndAndItsArgumentBeforeSuper(int version) throws Exception {
        List<Object> seen = new ArrayList<>();
        List<Hook> hooks = List.of(
                Hook.argument("argument", Echo.CLASS, "<init>", "(ILjava/lang/String;)V", 1),
                Hook.result("made", Echo.CLASS, "<init>", "(ILjava/lang/String;)V"));
        Class<?> type = define(weave(Echo.INT.classFile(version), hooks,
                (Handler.Argument) (self, argument, a0, a1, a2) -> {
                    seen.add(self);
                    return argument + "!";
                },
                (Handler.Result) (self, result, a0, a1, a2) -> {
                    seen.add(result);
                    return "ignored";
                }));
        Constructor<?> constructor = type.getConstructor(int.class, String.class);

        Object made = constructor.newInstance(1, "name");

        assertThat(seen).containsExactly(null, made);
        assertThat(type.getField("name").get(made)).isEqualTo("name!");
    }

    @ParameterizedTest
    @MethodSource("versions")
    void shapesOnOneMethodRunInTheModulesOrder(int version) throws Exception {
        List<String> order = new ArrayList<>();
        List<Hook> hooks = List.of(
                Hook.result("c", Echo.CLASS, "instance", ""),
                Hook.around("a", Echo.CLASS, "instance", ""),
                Hook.argument("b", Echo.CLASS, "instance", "", 1),
                Hook.around("d", Echo.CLASS, "instance", ""));
        Object echo = define(weave(Echo.STRING.classFile(version), hooks,
                (Handler.Result) (self, result, a0, a1, a2) -> order.add("result " + result) ? result : null,
                (Handler.Around) (self, a0, a1, a2, a3) -> order.add("around " + a1) ? Handler.PROCEED : null,
                (Handler.Argument) (self, argument, a0, a1, a2) -> order.add("argument " + argument) ? "new" : null,
                (Handler.Around) (self, a0, a1, a2, a3) -> order.add("around " + a1) ? Handler.PROCEED : null))
                .getConstructor().newInstance();

        call(echo, "instance", Echo.STRING);

        assertThat(order).containsExactly("around value", "argument value", "around new", "result new");
    }

    @Test
    void exceptionForTheAppIsThrownAsItIs() throws Exception {
        IOException failure = new IOException("for the app");
        Object echo = woven(Opcodes.V17, Echo.INT, hooks(Hook.Kind.AROUND, -1),
                (Handler.Around) (self, a0, a1, a2, a3) -> new Handler.Thrown(failure));

        assertThatThrownBy(() -> call(echo, "instance", Echo.INT)).isInstanceOf(InvocationTargetException.class).cause()
                .isSameAs(failure);
    }

    @Test
    void faultIsSaidOnceAndTheMethodGoesOn() throws Exception {
        Object echo = woven(Opcodes.V17, Echo.INT, hooks(Hook.Kind.AROUND, -1), (Handler.Around) (self, a0, a1, a2, a3) -> {
            throw new IllegalStateException("a fault");
        });

        assertThat(call(echo, "instance", Echo.INT)).isEqualTo(Echo.INT.value);
        assertThat(call(echo, "instance", Echo.INT)).isEqualTo(Echo.INT.value);
        assertThat(scene.logged()).containsOnlyOnce("IllegalStateException");
    }

    @Test
    void parameterWhoseVariableWasTakenForSomethingElseIsPassedAsNull() throws Exception {
        List<Object> seen = new ArrayList<>();
        Hook hook = Hook.result("reuses", Echo.CLASS, "reusesItsParameters", "");
        Class<?> type = define(weave(Echo.INT.classFile(Opcodes.V17), List.of(hook),
                (Handler.Result) (self, result, a0, a1, a2) -> {
                    seen.addAll(Arrays.asList(a0, a1, a2));
                    return result;
                }));

        type.getMethod("reusesItsParameters", String.class, long.class, String.class).invoke(null, "a", 5L, "c");

        assertThat(seen).containsExactly(null, null, "c");
    }

    @Test
    void manySlotsNeedWiderConstants() throws Exception {
        for (int slots : new int[] {200, 40_000}) {
            while (scene.slots.size() < slots) {
                scene.add((Handler.Around) (self, a0, a1, a2, a3) -> Handler.PROCEED);
            }
            Object echo = woven(Opcodes.V17, Echo.LONG, hooks(Hook.Kind.AROUND, -1),
                    (Handler.Around) (self, a0, a1, a2, a3) -> Echo.LONG.other);

            assertThat(call(echo, "instance", Echo.LONG)).isEqualTo(Echo.LONG.other);
        }
    }

    @Test
    void constructorCannotBeReplaced() {
        assertThatThrownBy(() -> weave(Echo.INT.classFile(Opcodes.V17), List.of(Hook.around("new", Echo.CLASS, "<init>", "")),
                (Handler.Around) (self, a0, a1, a2, a3) -> null)).hasMessage("hook new: a constructor cannot be replaced");
    }

    @Test
    void classWithoutTheMethodIsNotWoven() {
        Weaver.Woven woven = new Weaver().weave(Echo.INT.classFile(Opcodes.V17),
                List.of(Hook.around("x", Echo.CLASS, "absent", ""), Hook.around("y", Echo.CLASS, "withoutCode", "")), method -> 0);

        assertThat(woven.classFile()).isNull();
        assertThat(woven.matched()).isEmpty();
    }

    private static List<Hook> hooks(Hook.Kind kind, int argument) {
        return List.of(new Hook("instance", Echo.CLASS, "instance", "", kind, argument, false, false, null),
                new Hook("still", Echo.CLASS, "still", "", kind, argument, false, false, null));
    }

    private Object woven(int version, Echo type, List<Hook> hooks, Handler handler) throws Exception {
        return define(weave(type.classFile(version), hooks, handler, handler)).getConstructor().newInstance();
    }

    /** @param handlers one for each hook */
    private byte[] weave(byte[] classFile, List<Hook> hooks, Handler... handlers) {
        Weaver.Woven woven = new Weaver().weave(classFile, hooks, method -> scene.add(handlers[hooks.indexOf(method.hook())]));
        assertThat(woven.matched()).containsExactlyInAnyOrderElementsOf(hooks);
        return woven.classFile();
    }

    private static Object call(Object echo, String name, Echo type) throws Exception {
        for (Method method : echo.getClass().getMethods()) {
            if (method.getName().equals(name)) {
                return method.invoke(echo, 3, type.value, 7L, type.value);
            }
        }
        throw new NoSuchMethodException(name);
    }

    private static Class<?> define(byte[] classFile) {
        return new ClassLoader(WeaverTest.class.getClassLoader()) {
            Class<?> define() {
                return defineClass(Echo.CLASS, classFile, 0, classFile.length);
            }
        }.define();
    }
}
