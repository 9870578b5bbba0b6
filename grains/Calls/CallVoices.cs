using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Voices;
using VoiceGrains.Providers.Catalog;

namespace VoiceGrains.Grains.Calls;

/// <summary>Finds the synthesizer for a stage's voice, and what to fall back on.</summary>
internal sealed class CallVoices(IVoiceCatalog catalog)
{
    /// <exception cref="InvalidOperationException">The voice is gone; creation checks it, so this means a changed configuration.</exception>
    public AgentVoice Resolve(StageSettings stage)
    {
        if (stage.ExternalVoice is { } external) return ResolveExternal(external, stage.LanguageHint);
        if (!catalog.TryResolve(stage.Voice, out var voice)) throw new InvalidOperationException($"The voice '{stage.Voice}' is not configured any more.");
        return new AgentVoice(voice.Synthesizer, voice.ProviderVoice, stage.LanguageHint);
    }

    /// <summary>The default voice, unless that is the stage's own.</summary>
    public AgentVoice? Fallback(StageSettings stage, AgentVoice own)
    {
        if (!catalog.TryResolve(null, out var fallback)) return null;
        var isOwn = own.Synthesizer == fallback.Synthesizer && own.Voice == fallback.ProviderVoice;
        return isOwn ? null : new AgentVoice(fallback.Synthesizer, fallback.ProviderVoice, stage.LanguageHint);
    }

    private AgentVoice ResolveExternal(ExternalVoice external, string? languageHint)
    {
        if (external.Generic is not { Url: not null, Body: not null } generic) throw new InvalidOperationException("This server speaks generic external voices only.");
        return new AgentVoice(catalog.CreateGeneric(generic.ToDefinition()), "", languageHint);
    }
}
