using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Lmnt;

/// <summary>Section <c>ExternalVoices:Lmnt</c>.</summary>
public sealed class LmntOptions() : ExternalProviderOptions("wss://api.lmnt.com");
