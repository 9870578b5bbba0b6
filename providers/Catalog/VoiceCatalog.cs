using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Synthesis.External;
using VoiceGrains.Providers.Synthesis.Generic;

namespace VoiceGrains.Providers.Catalog;

/// <inheritdoc cref="IVoiceCatalog"/>
internal sealed class VoiceCatalog : IVoiceCatalog
{
    private readonly Dictionary<string, Known> _byNameOrId = new(StringComparer.OrdinalIgnoreCase);
    private readonly ProviderRegistry _registry;
    private readonly List<Known> _inOrder;      // built-in ones first
    private readonly Known _fallback;

    public VoiceCatalog(IOptions<ProviderSettings> settings, ProviderRegistry registry)
    {
        _registry = registry;
        var voices = settings.Value.Voices;
        var known = new Dictionary<string, Known>(StringComparer.OrdinalIgnoreCase);
        foreach (var builtIn in BuiltInVoices.All)
        {
            var target = ProviderTarget.Parse(voices.Target ?? builtIn.Engine);
            known[builtIn.Name] = new(
                new(IdOf(builtIn.Name), builtIn.Name, builtIn.Description, builtIn.Language, BuiltInVoices.Label(builtIn.Language), target.Provider),
                target, builtIn.EngineVoice);
        }
        foreach (var (name, entry) in voices.Add)
            known[name] = Configured(name, entry, known.GetValueOrDefault(name)?.Voice);
        foreach (var voice in known.Values)
            _byNameOrId[voice.Voice.Name] = _byNameOrId[voice.Voice.VoiceId.ToString()] = voice;
        Voices = [.. known.Values.Select(k => k.Voice).OrderBy(v => v.Name, StringComparer.OrdinalIgnoreCase)];
        _inOrder = [.. known.Values];
        Default = (_byNameOrId.GetValueOrDefault(voices.Default) ?? known[BuiltInVoices.All[0].Name]).Voice;
        _fallback = _byNameOrId[string.IsNullOrEmpty(voices.Fallback) ? Default.Name : voices.Fallback];
    }

    public Voice Default { get; }

    public IReadOnlyList<Voice> Voices { get; }

    public bool TryResolve(string? nameOrId, [NotNullWhen(true)] out ResolvedVoice? voice)
    {
        voice = null;
        if (!_byNameOrId.TryGetValue(string.IsNullOrEmpty(nameOrId) ? Default.Name : nameOrId, out var known)) return false;
        if (_registry.Synthesizer(known.Target) is not { } synthesizer) return false;
        voice = new(known.Voice, synthesizer, known.ProviderVoice);
        return true;
    }

    public IReadOnlyList<ResolvedVoice> Fallbacks(string? languageHint)
    {
        List<Known?> voices = [_fallback, _byNameOrId[Default.Name]];
        if (!string.IsNullOrEmpty(languageHint) && _fallback.Voice.PrimaryLanguage is { } language && Bare(language) != Bare(languageHint))
            voices.Insert(0, OfLanguage(languageHint));
        return [.. voices.OfType<Known>().Distinct().Select(known => TryResolve(known.Voice.Name, out var voice) ? voice : null).OfType<ResolvedVoice>()];
    }

    /// <summary>A built-in voice, which needs nobody else, before others; the very dialect before others.</summary>
    private Known? OfLanguage(string hint) => _inOrder
        .Where(known => known.Voice.PrimaryLanguage is { } language && Bare(language) == Bare(hint))
        .OrderBy(known => !BuiltInVoices.All.Any(builtIn => builtIn.Name == known.Voice.Name))
        .ThenBy(known => !hint.Equals(known.Voice.PrimaryLanguage, StringComparison.OrdinalIgnoreCase))
        .FirstOrDefault();

    private static string Bare(string language) => language.Split('-', '_')[0].ToLowerInvariant();

    public ISynthesizer CreateGeneric(GenericVoiceDefinition definition) => _registry.Generic(definition);

    public ISynthesizer CreateExternal(ExternalVoiceDefinition definition, string apiKey) => _registry.External(definition, apiKey);

    /// <summary>A name-based UUID (RFC 9562 §5.5), so that ids survive restarts and upgrades without a table of them.</summary>
    internal static Guid IdOf(string name)
    {
        Span<byte> input = [.. BuiltInVoices.Namespace.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes(name.ToLower(CultureInfo.InvariantCulture))];
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData(input, hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new(hash[..16], bigEndian: true);
    }

    private static Known Configured(string name, VoiceEntry entry, Voice? replaced)
    {
        var target = ProviderTarget.Parse(entry.Target);
        var language = entry.Language ?? replaced?.PrimaryLanguage;
        return new(
            new(entry.Id ?? IdOf(name), name, entry.Description ?? replaced?.Description, language, language is null ? null : BuiltInVoices.Label(language), target.Provider),
            target, entry.Voice);
    }

    private sealed record Known(Voice Voice, ProviderTarget Target, string ProviderVoice);
}
