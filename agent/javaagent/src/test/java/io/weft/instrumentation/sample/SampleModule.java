package io.weft.instrumentation.sample;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import java.util.List;

public final class SampleModule {
    public static final String ADAPTER = "io.weft.instrumentation.sample.SampleAdapter";

    private static final String GREETER = "sample.library.Greeter";

    private SampleModule() {}

    public static InstrumentationModule module() {
        return module(ADAPTER);
    }

    public static InstrumentationModule module(String... adapters) {
        return new InstrumentationModule("sample", "1", List.of(adapters), List.of(), List.of(
                Hook.result("greet", GREETER, "greet", "(Ljava/lang/String;)Ljava/lang/String;"),
                Hook.around("length", GREETER, "length", "(Ljava/lang/String;)I"),
                Hook.around("newer", GREETER, "sinceVersion2", "()V").whenPresent()))
                .wherever("sample.library");
    }
}
