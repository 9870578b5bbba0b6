using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Grains.Voices.Cloning;

/// <summary>
/// Clones voices: the sample is stored, a provider makes the voice with the account's key (or the server's, where the operator allows that), and what comes of
/// it is an own voice like any other. What fails leaves nothing behind.
/// </summary>
public sealed partial class VoiceCloner
{
    /// <summary>How long a client that deletes a voice waits for the provider; the voice is gone here in any case.</summary>
    private static readonly TimeSpan DeletePatience = TimeSpan.FromSeconds(5);

    private readonly VoiceStore _store;
    private readonly ProviderKeyStore _keys;
    private readonly IBlobStore _blobs;
    private readonly CloneClient _client;
    private readonly CloneMetrics _metrics;
    private readonly OwnVoiceOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<VoiceCloner> _logger;

    internal VoiceCloner(
        VoiceStore store, ProviderKeyStore keys, IBlobStore blobs, CloneClient client, CloneMetrics metrics, IOptions<OwnVoiceOptions> options, TimeProvider clock,
        ILogger<VoiceCloner> logger)
        => (_store, _keys, _blobs, _client, _metrics, _options, _clock, _logger) = (store, keys, blobs, client, metrics, options.Value, clock, logger);

    /// <summary>Makes the clone and stores it as one of the account's voices.</summary>
    /// <exception cref="InvalidInputException">The name is taken, there is no room, or there is no key to clone with.</exception>
    /// <exception cref="PlatformException">The provider refused or failed.</exception>
    public async Task<OwnVoice> CloneAsync(string accountId, CloneDraft draft, VoiceSample sample, CancellationToken cancellationToken)
    {
        await _store.RequireRoomAsync(accountId, draft.Name, isClone: true, cancellationToken);
        var (api, key, isServers) = await FindKeyAsync(accountId, cancellationToken);
        var voiceId = Guid.NewGuid();
        var now = _clock.GetUtcNow();
        draft = draft with { Description = draft.Description ?? $"Cloned from a recording on {now.ToString("d MMMM yyyy", CultureInfo.InvariantCulture)}." };
        var blob = $"voices/{voiceId}.{sample.Extension}";
        string? cloneId = null;
        try
        {
            await WriteAsync(blob, sample, cancellationToken);
            cloneId = await _client.CreateAsync(api, key, draft, sample, cancellationToken);
            var voice = new OwnVoice
            {
                VoiceId = voiceId, Name = draft.Name, Description = draft.Description, PrimaryLanguage = draft.Language, Sample = blob, UsesServerKey = isServers,
                Definition = ExternalVoices.Of(api.Provider, new JsonObject { ["voiceId"] = cloneId }), Created = now,
            };
            await _store.CreateAsync(accountId, voice, cancellationToken);
            _metrics.Cloned(api.Provider.Id, "made");
            LogCloned(voiceId, accountId, api.Provider.Id);
            return voice;
        }
        catch (Exception failure)
        {
            _metrics.Cloned(api.Provider.Id, failure is PlatformException { Code.Status: 400 } ? "refused" : "failed");
            Delete(blob);
            if (cloneId is not null) await TryDeleteAsync(api, key, cloneId);
            throw;
        }
    }

    /// <summary>Deletes the sample of a voice that was deleted, and, as far as the provider does it, the clone. Never throws.</summary>
    public async Task ForgetAsync(string accountId, OwnVoice deleted)
    {
        if (deleted.Sample is null) return;
        Delete(deleted.Sample);
        var api = CloneApi.All.FirstOrDefault(a => a.Provider == deleted.Definition.ProviderOf());
        if (api is null || deleted.Definition.SettingsAt(api.Provider)?["voiceId"]?.GetValue<string>() is not { } cloneId) return;
        if (await TryFindKeyAsync(accountId, api.Provider, deleted.UsesServerKey) is { } key) await TryDeleteAsync(api, key, cloneId);
        else LogCloneKept(api.Provider.Id, "there is no key any more", null);
    }

    private async Task<(CloneApi Api, string Key, bool IsServers)> FindKeyAsync(string accountId, CancellationToken cancellationToken)
    {
        foreach (var api in CloneApi.All)
            if (await _keys.FindAsync(accountId, api.Provider, cancellationToken) is { } key) return (api, key, false);
        foreach (var api in CloneApi.All)
            if (_options.CloneKeys.Of(api.Provider) is { } key) return (api, key, true);
        var names = string.Join(", ", CloneApi.All.Select(api => api.Provider.Name).SkipLast(1)) + " or " + CloneApi.All[^1].Provider.Name;
        throw new InvalidInputException(InputErrors.NonField, $"Cloning a voice needs an API key for {names}. Set one with PATCH /api/accounts/me/tts_api_keys.");
    }

    private async Task<string?> TryFindKeyAsync(string accountId, TtsProvider provider, bool isServers)
    {
        if (isServers) return _options.CloneKeys.Of(provider);
        try
        {
            using var timeout = new CancellationTokenSource(DeletePatience, _clock);
            return await _keys.FindAsync(accountId, provider, timeout.Token);
        }
        catch (Exception failure)
        {
            LogCloneKept(provider.Id, "its key could not be read", failure);
            return null;
        }
    }

    private async Task WriteAsync(string blob, VoiceSample sample, CancellationToken cancellationToken)
    {
        await using var stream = _blobs.OpenWrite(blob);
        await stream.WriteAsync(sample.Bytes, cancellationToken);
        await stream.FlushAsync(cancellationToken);
    }

    private void Delete(string blob)
    {
        try
        {
            _blobs.Delete(blob);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogSampleKept(blob, failure);
        }
    }

    private async Task TryDeleteAsync(CloneApi api, string key, string cloneId)
    {
        try
        {
            await _client.DeleteAsync(api, key, cloneId, DeletePatience);
        }
        catch (Exception failure)
        {
            LogCloneKept(api.Provider.Id, failure.Message, failure is PlatformException ? null : failure);
        }
    }

    [LoggerMessage(1420, LogLevel.Information, "Voice {VoiceId} of account {AccountId} was cloned at {Provider}")]
    private partial void LogCloned(Guid voiceId, string accountId, string provider);

    [LoggerMessage(1421, LogLevel.Warning, "A deleted voice's clone at {Provider} is still there: {Why}")]
    private partial void LogCloneKept(string provider, string why, Exception? exception);

    [LoggerMessage(1422, LogLevel.Error, "The sample {Blob} of a voice that is gone could not be deleted")]
    private partial void LogSampleKept(string blob, Exception exception);
}
