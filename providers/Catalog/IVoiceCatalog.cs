using System.Diagnostics.CodeAnalysis;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Synthesis.External;
using VoiceGrains.Providers.Synthesis.Generic;

namespace VoiceGrains.Providers.Catalog;

/// <summary>The voices that come with the server, built in or configured. Tenants' own voices live elsewhere and bring a definition.</summary>
public interface IVoiceCatalog
{
    /// <summary>What a call without a voice gets.</summary>
    Voice Default { get; }

    /// <summary>All voices, by name.</summary>
    IReadOnlyList<Voice> Voices { get; }

    /// <summary>Finds a voice by its name (without case) or id. Null or empty is the default. False where there is none or its engine is not installed.</summary>
    bool TryResolve(string? nameOrId, [NotNullWhen(true)] out ResolvedVoice? voice);

    /// <summary>
    /// Who can speak where a call's own voice cannot, best first: <c>Voices:Fallback</c>, but before it one of the call's language where that speaks another,
    /// and the default voice. Empty where nothing is installed.
    /// </summary>
    /// <param name="languageHint">BCP 47 code or null.</param>
    IReadOnlyList<ResolvedVoice> Fallbacks(string? languageHint);

    /// <summary>The synthesizer for a voice that a tenant defined; its <see cref="SynthesisRequest.Voice"/> is ignored. Check it with <see cref="GenericVoiceRules"/> first.</summary>
    ISynthesizer CreateGeneric(GenericVoiceDefinition definition);

    /// <summary>The synthesizer for a tenant's voice at a provider that we know, measured under <see cref="ExternalVoiceDefinition.Provider"/>; its
    /// <see cref="SynthesisRequest.Voice"/> is ignored. Opens no connection yet.</summary>
    /// <param name="apiKey">The tenant's key there. Never part of a log or an error.</param>
    ISynthesizer CreateExternal(ExternalVoiceDefinition definition, string apiKey);
}

/// <summary>A voice as <c>GET /api/voices</c> describes it.</summary>
/// <param name="VoiceId">The same on every start.</param>
/// <param name="Name">Unique among these voices.</param>
/// <param name="Description">What it sounds like, and which engine speaks.</param>
/// <param name="PrimaryLanguage">BCP 47 code.</param>
/// <param name="LanguageLabel">For people, for example "🇺🇸 English (United States)".</param>
/// <param name="Provider">The provider's configured name.</param>
public sealed record Voice(Guid VoiceId, string Name, string? Description, string? PrimaryLanguage, string? LanguageLabel, string Provider)
{
    /// <summary>The label of a language: "🇺🇸 English (United States)" for a known code, the code itself otherwise.</summary>
    public static string LabelOf(string language) => BuiltInVoices.Label(language);
}

/// <param name="Voice">What was found.</param>
/// <param name="Synthesizer">Speaks it; measured.</param>
/// <param name="ProviderVoice">For <see cref="SynthesisRequest.Voice"/>.</param>
public sealed record ResolvedVoice(Voice Voice, ISynthesizer Synthesizer, string ProviderVoice);
