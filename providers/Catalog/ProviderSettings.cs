using VoiceGrains.Providers.Language.Rules;
using VoiceGrains.Providers.OpenAi;
using VoiceGrains.Providers.Recognition.Pocketsphinx;
using VoiceGrains.Providers.Scripted;
using VoiceGrains.Providers.Synthesis.Espeak;
using VoiceGrains.Providers.Synthesis.Flite;

namespace VoiceGrains.Providers.Catalog;

/// <summary>The configuration sections <c>Providers</c>, <c>Models</c>, <c>Recognizers</c> and <c>Voices</c> (docs/providers.md).</summary>
public sealed class ProviderSettings
{
    /// <summary>Providers by name. <c>rules</c>, <c>scripted</c>, <c>flite</c>, <c>espeak</c> and <c>pocketsphinx</c> are there without configuration.</summary>
    public Dictionary<string, ProviderEntry> Providers { get; } = new(StringComparer.OrdinalIgnoreCase);

    public ModelSettings Models { get; set; } = new();

    public RecognizerSettings Recognizers { get; set; } = new();

    public VoiceSettings Voices { get; set; } = new();

    /// <summary>Sections that could not be read, for the validator.</summary>
    internal List<string> Problems { get; } = [];
}

/// <summary>What kind of provider an entry is.</summary>
public enum ProviderType : byte { Rules, Scripted, OpenAi, Flite, Espeak, Pocketsphinx }

/// <summary>One configured provider.</summary>
/// <param name="Name">Its name in configuration, which targets such as <c>openai/gpt-4o</c> begin with.</param>
public sealed record ProviderEntry(string Name, ProviderType Type)
{
    public RulesModelOptions? Rules { get; init; }
    public ScriptedOptions? Scripted { get; init; }
    public OpenAiOptions? OpenAi { get; init; }
    public PocketsphinxOptions? Pocketsphinx { get; init; }
    public FliteOptions? Flite { get; init; }
    public EspeakOptions? Espeak { get; init; }
}

/// <summary>Section <c>Models</c>. A target is <c>provider</c> or <c>provider/model</c>.</summary>
public sealed class ModelSettings
{
    /// <summary>The alias that a call without a model gets. Default <c>ultravox-v0.7</c>.</summary>
    public string Default { get; set; } = "ultravox-v0.7";

    /// <summary>Where the documented aliases lead unless <see cref="Aliases"/> says otherwise. Default <c>rules</c>.</summary>
    public string Target { get; set; } = "rules";

    /// <summary>More aliases, or other targets for documented ones.</summary>
    public Dictionary<string, string> Aliases { get; set; } = [];
}

/// <summary>Section <c>Recognizers</c>. A target is <c>provider</c> or <c>provider/model</c>.</summary>
public sealed class RecognizerSettings
{
    /// <summary>For languages without their own. Default <c>pocketsphinx</c>.</summary>
    public string Default { get; set; } = "pocketsphinx";

    /// <summary>Targets by BCP 47 code; <c>de</c> also serves <c>de-AT</c>.</summary>
    public Dictionary<string, string> Languages { get; set; } = [];
}

/// <summary>Section <c>Voices</c>.</summary>
public sealed class VoiceSettings
{
    /// <summary>Name or id of the voice that a call without a voice gets. Default <c>Mark</c>.</summary>
    public string Default { get; set; } = "Mark";

    /// <summary>
    /// Name of the voice that goes on where a call's own one fails. Default: the default voice. A call of a language that it does not speak gets one that does,
    /// where there is one.
    /// </summary>
    public string? Fallback { get; set; }

    /// <summary>When set, a provider of type <c>scripted</c> that speaks for every built-in voice, for load tests.</summary>
    public string? Target { get; set; }

    /// <summary>More voices by name, or other engines for built-in ones.</summary>
    public Dictionary<string, VoiceEntry> Add { get; set; } = [];
}

/// <summary>A configured voice.</summary>
public sealed class VoiceEntry
{
    /// <summary>A target: <c>flite</c>, <c>espeak</c>, <c>scripted</c>, <c>openai/tts-1</c>, ...</summary>
    public string Target { get; set; } = "";

    /// <summary>The provider's own name for the voice, for example <c>slt</c>, <c>de</c> or <c>alloy</c>.</summary>
    public string Voice { get; set; } = "";

    /// <summary>Default is derived from the name, the same on every start.</summary>
    public Guid? Id { get; set; }

    public string? Description { get; set; }

    /// <summary>BCP 47 code.</summary>
    public string? Language { get; set; }
}
