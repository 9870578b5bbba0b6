using Microsoft.Extensions.Options;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Validation;
using VoiceGrains.Providers.Catalog;
using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Grains.Voices;

/// <summary>Everything that an account may speak with: its own voices, the server's, and external ones with the account's keys.</summary>
/// <remarks>An own voice goes before one of the server's of the same name: a voice that an operator adds must not change what tenants' calls sound like.</remarks>
public sealed class AccountVoices(IVoiceCatalog catalog, VoiceStore store, ProviderKeyStore keys, OutboundGuard guard, IOptions<OwnVoiceOptions> options)
{
    /// <summary>Tells what would keep an agent or a call from speaking. Text with a <c>{{variable}}</c> is not known yet and passes.</summary>
    public async Task CheckAsync(string accountId, VoiceChoice choice, InputErrors errors, CancellationToken cancellationToken)
    {
        if (choice.Overrides is not null && string.IsNullOrEmpty(choice.Voice)) errors.Field("voiceOverrides").Add("Only valid when 'voice' is set.");
        if (choice.External is { } external) await CheckExternalAsync(accountId, external, errors.Field("externalVoice"), isTemplate: true, cancellationToken);
        if (string.IsNullOrEmpty(choice.Voice) || IsTemplate(choice.Voice)) return;
        if (await store.FindAsync(accountId, choice.Voice, cancellationToken) is { } own)
        {
            if (await ProblemOfKeyAsync(accountId, own, cancellationToken) is { } problem) errors.Field("voice").Add(problem);
            if (choice.Overrides is { } overrides) VoiceOverrides.Check(own.Definition, overrides, errors.Field("voiceOverrides"));
        }
        else if (!catalog.TryResolve(choice.Voice, out _))
        {
            errors.Field("voice").Add(ProblemOf(choice.Voice));
        }
        else if (choice.Overrides is not null)
        {
            errors.Field("voiceOverrides").Add("The voice is one of the server's, of which nothing may be overridden.");
        }
    }

    /// <summary>Tells what is wrong with a definition, and whether the account lacks the key to speak with it.</summary>
    public async Task CheckExternalAsync(string accountId, ExternalVoice voice, InputErrors errors, bool isTemplate, CancellationToken cancellationToken)
    {
        CheckDefinition(voice, errors, isTemplate);
        if (voice.ProviderOf() is { } provider && !errors.Any && !await keys.HasAsync(accountId, provider, cancellationToken)) errors.Field(provider.Field).Add(NoKey(provider));
    }

    /// <summary>Tells what is wrong with a definition, whoever speaks with it.</summary>
    /// <param name="voice">The definition.</param>
    /// <param name="errors">Takes the problems.</param>
    /// <param name="isTemplate">Whether a <c>{{variable}}</c> in it may still be filled. That is so in agents, and not in what is spoken as it stands.</param>
    public void CheckDefinition(ExternalVoice voice, InputErrors errors, bool isTemplate)
    {
        if (voice.ProviderOf() is { } provider)
        {
            var its = errors.Field(provider.Field);
            if (voice.SettingsAt(provider)!["voiceId"]?.GetValue<string>() is null or "") its.Field("voiceId").Add("This field is required.");
        }
        else if (voice.Generic is { } generic && !(isTemplate && IsTemplate(generic.Url)))
        {
            GenericVoices.Check(generic, guard, errors.Field("generic"));
        }
    }

    /// <summary>The synthesizer of a voice.</summary>
    /// <exception cref="VoiceUnavailableException">It cannot speak (any more).</exception>
    public async Task<Speaker> OpenAsync(string accountId, VoiceChoice choice, CancellationToken cancellationToken)
    {
        if (choice.External is { } external) return await OpenAsync(accountId, external, serverKey: false, cancellationToken);
        if (!string.IsNullOrEmpty(choice.Voice) && await store.FindAsync(accountId, choice.Voice, cancellationToken) is { } own)
            return await OpenAsync(accountId, VoiceOverrides.Apply(own.Definition, choice.Overrides), own.UsesServerKey, cancellationToken);
        return OpenBuiltIn(choice.Voice) ?? throw new VoiceUnavailableException(ProblemOf(choice.Voice ?? catalog.Default.Name));
    }

    /// <summary>One of the server's voices, or the default one for null; null where there is none.</summary>
    public Speaker? OpenBuiltIn(string? voice) => catalog.TryResolve(voice, out var found) ? new(found.Synthesizer, found.ProviderVoice) : null;

    /// <summary>The server's voices that can speak where a call's own one cannot, best first.</summary>
    public IEnumerable<Speaker> Fallbacks(string? languageHint) => catalog.Fallbacks(languageHint).Select(voice => new Speaker(voice.Synthesizer, voice.ProviderVoice));

    /// <summary>The synthesizer of an account's own voice.</summary>
    /// <exception cref="VoiceUnavailableException">The account's key is missing.</exception>
    public Task<Speaker> OpenAsync(string accountId, OwnVoice voice, CancellationToken cancellationToken)
        => OpenAsync(accountId, voice.Definition, voice.UsesServerKey, cancellationToken);

    /// <summary>What calls may have called a voice: its id and its name.</summary>
    public async Task<IReadOnlyList<string>> NamesOfAsync(string accountId, Guid voiceId, CancellationToken cancellationToken)
    {
        var id = voiceId.ToString();
        var name = catalog.Voices.FirstOrDefault(voice => voice.VoiceId == voiceId)?.Name ?? (await store.FindAsync(accountId, id, cancellationToken))?.Name;
        return name is null ? [id] : [id, name];
    }

    private async Task<Speaker> OpenAsync(string accountId, ExternalVoice voice, bool serverKey, CancellationToken cancellationToken)
    {
        if (voice.ProviderOf() is not { } provider)
        {
            if (voice.Generic is not { Url: not null, Body: not null } generic) throw new VoiceUnavailableException("The external voice names no provider.");
            return new(catalog.CreateGeneric(generic.ToDefinition()), "");
        }
        var definition = voice.ToDefinition();
        var key = serverKey ? options.Value.CloneKeys.Of(provider) : await keys.FindAsync(accountId, provider, cancellationToken);
        return new(catalog.CreateExternal(definition, key ?? throw new VoiceUnavailableException(NoKey(provider))), "");
    }

    private async Task<string?> ProblemOfKeyAsync(string accountId, OwnVoice voice, CancellationToken cancellationToken)
    {
        if (voice.Definition.ProviderOf() is not { } provider) return null;
        var hasKey = voice.UsesServerKey ? options.Value.CloneKeys.Of(provider) is not null : await keys.HasAsync(accountId, provider, cancellationToken);
        return hasKey ? null : $"Voice '{JsonLeaf.Shorten(voice.Name)}' cannot speak. {NoKey(provider)}";
    }

    private string ProblemOf(string voice)
        => catalog.Voices.Any(v => v.Name.Equals(voice, StringComparison.OrdinalIgnoreCase) || v.VoiceId.ToString().Equals(voice, StringComparison.OrdinalIgnoreCase))
            ? $"Voice '{JsonLeaf.Shorten(voice)}' cannot speak: its engine is not installed on this server."
            : $"Voice '{JsonLeaf.Shorten(voice)}' does not exist.";

    private static string NoKey(TtsProvider provider) => $"The account has no API key for {provider}. Set one with PATCH /api/accounts/me/tts_api_keys.";

    private static bool IsTemplate(string? text) => text is null || text.Contains("{{", StringComparison.Ordinal);
}

/// <summary>The voice that an agent, a call or a stage asks for; nothing set is the default voice.</summary>
/// <param name="Voice">Name or id.</param>
/// <param name="External">Instead of <paramref name="Voice"/>.</param>
/// <param name="Overrides">Over the definition of <paramref name="Voice"/>. The server's own voices have none.</param>
public sealed record VoiceChoice(string? Voice, ExternalVoice? External, ExternalVoice? Overrides);

/// <param name="Synthesizer">Speaks; measured.</param>
/// <param name="ProviderVoice">For <see cref="SynthesisRequest.Voice"/>.</param>
public sealed record Speaker(ISynthesizer Synthesizer, string ProviderVoice);
