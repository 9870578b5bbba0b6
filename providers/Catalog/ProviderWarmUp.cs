using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace VoiceGrains.Providers.Catalog;

/// <summary>Loads the default recognizer's models in the background at start, so that the first caller does not wait for them and neither does the start.</summary>
internal sealed partial class ProviderWarmUp(ProviderRegistry registry, IOptions<ProviderSettings> settings, ILogger<ProviderWarmUp> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            await registry.WarmAsync(ProviderTarget.Parse(settings.Value.Recognizers.Default), stoppingToken).ConfigureAwait(false);
        }
        catch (ProviderException exception)
        {
            LogFailed(exception);   // the first call will say so again
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped while loading.
        }
    }

    [LoggerMessage(2002, LogLevel.Warning, "The default recognizer could not be loaded ahead")]
    private partial void LogFailed(Exception exception);
}
