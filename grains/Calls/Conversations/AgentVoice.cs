using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>A synthesizer and what to ask of it.</summary>
internal sealed record AgentVoice(ISynthesizer Synthesizer, string Voice, string? LanguageHint);
