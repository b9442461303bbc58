package io.weft.agent.link;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.agent.weave.WovenMethod;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Hook;
import io.weft.instrumentation.sample.SampleModule;
import java.net.URL;
import java.net.URLClassLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AttachmentTest {
    private static final Hook RARE = Hook.around("rare", "a.Library", "rare", "()V").untilWoken();
    private static final Hook USUAL = Hook.around("usual", "a.Library", "usual", "()V");

    private final InstalledBridge.Scene scene = new InstalledBridge.Scene();
    // The slot holds it weakly.
    private final Bound bound = new Bound((Handler.Around) (self, a0, a1, a2, a3) -> "called", null, true);
    private final Attachment lasting = attachment(ClassLoader.getSystemClassLoader());

    /** The bridge is that of the whole JVM. */
    @AfterEach
    void leaveNothingAsleep() {
        lasting.wake("rare");
    }

    @Test
    void aHookIsNotCalledBeforeItIsWoken() {
        int rare = number(lasting, "a.Library", RARE);

        assertThat(call(rare)).isEqualTo(WeftBridge.PROCEED);
        assertThat(call(number(lasting, "a.Library", USUAL))).isEqualTo("called");

        lasting.wake("rare");
        assertThat(call(rare)).isEqualTo("called");
        assertThat(call(number(lasting, "a.Other", RARE))).as("woven into another class later").isEqualTo("called");
    }

    @Test
    void whereTheLibraryMayGoAHookIsAwakeFromTheBeginning() throws Exception {
        try (URLClassLoader app = new URLClassLoader(new URL[0])) {
            assertThat(call(number(attachment(app), "a.Library", RARE))).isEqualTo("called");
        }
    }

    private static Attachment attachment(ClassLoader app) {
        return new Attachment(SampleModule.module(), "", "an.Adapter", new LoaderRef(app, null), "app", null);
    }

    private int number(Attachment attachment, String className, Hook hook) {
        int number = attachment.number(className, new WovenMethod(hook, "()V"), scene.slots, null);
        ((LibrarySlot) scene.slots.get(number)).bind(bound);
        return number;
    }

    private static Object call(int hook) {
        return WeftBridge.around(hook, null, null, null, null, null);
    }
}
