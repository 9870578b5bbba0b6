using VoiceGrains.Providers.Http;

namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>What synthesizers of external voices need.</summary>
/// <param name="Http">Providers' addresses are the operator's (<see cref="ProviderHttpPool.OperatorClient"/>): tenants name voices, not hosts.</param>
internal sealed record ExternalVoiceServices(ExternalVoiceOptions Options, ProviderHttpPool Http, TimeProvider Clock);
