package io.weft.agent.weave;

import io.weft.instrumentation.Hook;

/** A method that a hook was matched with: each gets a slot of its own, because overloads differ in what they return. */
public record WovenMethod(Hook hook, String descriptor) {}
