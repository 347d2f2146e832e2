"""Models in LM Studio's words: the whole of the JavaScript SDK's shapes, always.

The JavaScript SDK drops a result that lacks a required field and then waits for ever, so a field
is left out only where its schema says it may be.
"""

import re
from typing import Any

from langchain_lmswitch.types.machine import Footprint, Snapshot
from langchain_lmswitch.types.models import ModelCard, Resident

SDK_FORMATS = frozenset(
    {"gguf", "safetensors", "onnx", "ggml", "mlx_placeholder", "torch_safetensors"}
)
"""One other word, and Python's SDK 1.5 refuses the whole listing."""

_BITS = re.compile(r"\d+")


def card_info(card: ModelCard) -> dict[str, Any]:
    """Describe a model on disk."""
    info: dict[str, Any] = {
        "type": card.kind,
        "modelKey": card.key,
        "format": card.format if card.format in SDK_FORMATS else "mlx_placeholder",
        "displayName": card.display_name or card.key,
        "publisher": card.publisher,
        "path": card.path,
        "sizeBytes": card.size_bytes,
        "indexedModelIdentifier": card.path,
        "deviceIdentifier": card.device,
        "maxContextLength": card.max_context_tokens,
    }
    if card.kind == "llm":
        info |= {"vision": card.vision, "trainedForToolUse": card.tool_use}
        if card.tool_grammar:  # ours, beside the protocol: clients pass over what they do not know
            info["toolCallGrammar"] = True
    if card.params:
        info["paramsString"] = card.params
    if card.architecture:
        info["architecture"] = card.architecture
    if (bits := quantization_bits(card.quantization)) is not None:
        info["quantization"] = {"name": card.quantization, "bits": bits}
    return info


def resident_info(card: ModelCard, resident: Resident) -> dict[str, Any]:
    """Describe a model in memory."""
    return card_info(card) | {
        "identifier": resident.identifier,
        "instanceReference": resident.reference,
        "ttlMs": _ms(resident.ttl_s),
        "lastUsedTime": _ms(resident.last_used_s),
        "contextLength": resident.context_tokens,
    }


def usage(footprint: Footprint, *, fits: bool) -> dict[str, Any]:
    """Say what a load would cost; scratch buffers count as the model's."""
    total, vram = footprint.total_bytes, footprint.vram_bytes
    context_vram = round(vram * footprint.kv_bytes / total) if total else 0
    return {
        "memory": {
            "confidence": "low" if footprint.source == "size" else "high",
            "modelVramBytes": vram - context_vram,
            "contextVramBytes": context_vram,
            "totalVramBytes": vram,
            "modelBytes": total - footprint.kv_bytes,
            "contextBytes": footprint.kv_bytes,
            "totalBytes": total,
        },
        "passesGuardrails": fits,
    }


def survey(snapshot: Snapshot, *, version: str, architecture: str, platform: str) -> dict[str, Any]:
    """Describe the machine; its numbers know no `unknown`, which is sent as 0."""
    ram = snapshot.ram_total_bytes or 0
    vram = sum(gpu.total_bytes or 0 for gpu in snapshot.gpus or () if not gpu.unified)
    engine: dict[str, Any] = {
        "name": f"llama.cpp-{platform}-{architecture}",
        "version": version,
        "engine": "llama.cpp",
        "platform": platform,
        "compatibility": {"status": "Compatible"},
        "supportedModelFormatNames": ["GGUF"],
        "hardwareSurvey": {
            "gpuSurveyResult": _gpu_survey(snapshot),
            "cpuSurveyResult": {
                "result": {"code": "Success", "message": ""},
                "cpuInfo": {"architecture": architecture, "supportedInstructionSetExtensions": []},
            },
        },
        "memoryInfo": {"ramCapacity": ram, "vramCapacity": vram, "totalMemory": ram + vram},
    }
    return {"status": "OK", "engines": [engine]}


def _gpu_survey(snapshot: Snapshot) -> dict[str, Any]:
    match snapshot.gpus:
        case None:
            return {"result": {"code": "Unset", "message": "not surveyed"}, "gpuInfo": []}
        case ():
            return {"result": {"code": "NoDevicesFound", "message": ""}, "gpuInfo": []}
        case gpus:
            found = [_gpu(index, gpu.name, gpu.total_bytes) for index, gpu in enumerate(gpus)]
            return {"result": {"code": "Success", "message": ""}, "gpuInfo": found}


def _gpu(index: int, name: str, total_bytes: int | None) -> dict[str, Any]:
    return {
        "name": name,
        "deviceId": index,
        "totalMemoryCapacityBytes": total_bytes or 0,
        "dedicatedMemoryCapacityBytes": total_bytes or 0,
        "integrationType": "Unknown",
        "detectionPlatform": "Unknown",
        "detectionPlatformVersion": "",
        "otherInfo": {},
    }


def quantization_bits(name: str) -> int | None:
    """Return the bits of a quantization's name (`Q4_K_M` is 4), or `None` if it tells none."""
    found = _BITS.search(name)
    return int(found.group()) if found else None


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, round(seconds * 1000))
